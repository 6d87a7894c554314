import type { SqliteDatabase } from '@loopkit/shared/database/open'

/** The last session of a page. */
export interface SessionsPosition {
  atMs: number
  key: string
}

/** A session by name: a stored one, or a trace that stands for itself and has no row. */
export interface SessionRow {
  sessionNo: number | null
  sessionId: string
  explicit: boolean
  /** The trace that is its own session; its totals are read from its spans. */
  lone: { traceId: Uint8Array; decided: boolean } | null
  atMs: number
  /** Orders sessions of the same moment. */
  key: string
}

interface ListQuestion {
  projectNo: number
  fromMs: number
  toMs: number
  eventFromMs: number | null
  eventToMs: number | null
  limit: number
  after: SessionsPosition | null
}

/**
 * Sessions with arrivals in the window, by the last of them. A trace without a session id is one of them only when it has agent
 * steps or failures (write-path §3).
 */
export function listSessions(db: SqliteDatabase, question: ListQuestion): SessionRow[] {
  const { projectNo, fromMs, toMs, eventFromMs, eventToMs, limit, after } = question
  const rows = db.prepare(
    `with lone as materialized (
       select trace_hash, trace_id, max(received_ms) as at_ms from failure
       where project_no = @projectNo and decided_ms >= @fromMs and session_no = 0 group by trace_hash, trace_id)
     select * from (
       select s.session_no, s.session_id, s.explicit, null as lone_trace_id, 1 as decided, max(t.received_ms) as at_ms, 's' || s.session_id as key
       from session_trace t join session s using (session_no)
       where t.project_no = @projectNo and t.received_ms >= @fromMs and t.received_ms < @toMs
         and (t.decided_ms is null or ((@eventFromMs is null or t.end_ms >= @eventFromMs) and (@eventToMs is null or t.start_ms < @eventToMs)))
         and (s.explicit = 1 or t.failures > 0 or t.turns > 0 or t.tool_calls > 0 or t.agent is not null)
       group by s.session_no
       union all
       select null, lower(hex(trace_id)), 0, trace_id, 1, at_ms, 't' || lower(hex(trace_id))
       from lone where at_ms >= @fromMs and at_ms < @toMs
         and not exists (select 1 from session_trace t where t.project_no = @projectNo and t.trace_hash = lone.trace_hash)
       union all
       select null, lower(hex(o.trace_id)), 0, o.trace_id, 0, o.last_received_ms, 't' || lower(hex(o.trace_id))
       from open_trace o
       where o.project_no = @projectNo and o.last_received_ms >= @fromMs and o.last_received_ms < @toMs
         and (o.failing > 0 or o.agent_steps > 0)
         and (o.decided_before = 0 or o.trace_hash not in (select trace_hash from lone where at_ms >= @fromMs and at_ms < @toMs))
         and not exists (select 1 from session_trace t where t.project_no = o.project_no and t.trace_hash = o.trace_hash))
     where @afterMs is null or at_ms < @afterMs or (at_ms = @afterMs and key > @afterKey)
     order by at_ms desc, key limit @limit`,
  )
  const bound = {
    projectNo,
    fromMs,
    toMs,
    eventFromMs,
    eventToMs,
    limit,
    afterMs: after?.atMs ?? null,
    afterKey: after?.key ?? '',
  }
  return (rows.all(bound) as ListRow[]).map((row) => ({
    sessionNo: row.session_no,
    sessionId: row.session_id,
    explicit: row.explicit === 1,
    lone: row.lone_trace_id && { traceId: new Uint8Array(row.lone_trace_id), decided: row.decided === 1 },
    atMs: row.at_ms,
    key: row.key,
  }))
}

interface ListRow {
  session_no: number | null
  session_id: string
  explicit: number
  lone_trace_id: Buffer | null
  decided: number
  at_ms: number
  key: string
}

/** A session's part in one trace. Totals are zero until the trace is decided. */
export interface StoredPart {
  traceId: Uint8Array
  decided: boolean
  agent: string | null
  user: string | null
  spans: number
  turns: number
  toolCalls: number
  inputTokens: number
  outputTokens: number
  costUsd: number | null
  failures: number
  startMs: number
  endMs: number
}

/** Traces of one session that the list sums; a session of more shows the totals of its newest. */
const PARTS_MAX = 5000

export function readStored(db: SqliteDatabase, projectNo: number, { sessionNo }: Pick<SessionRow, 'sessionNo'>): StoredPart[] {
  if (sessionNo === null) return []
  const rows = db.prepare(
    `select trace_id as traceId, decided_ms is not null as decided, agent, user, spans, turns, tool_calls as toolCalls,
       input_tokens as inputTokens, output_tokens as outputTokens, cost_usd as costUsd, failures, start_ms as startMs, end_ms as endMs
     from session_trace where project_no = ? and session_no = ? order by received_ms desc, trace_hash limit ?`,
  )
  const parts = rows.all(projectNo, sessionNo, PARTS_MAX) as (Omit<StoredPart, 'decided'> & { decided: number })[]
  return parts.map((part) => ({ ...part, decided: part.decided === 1 })).reverse()
}
