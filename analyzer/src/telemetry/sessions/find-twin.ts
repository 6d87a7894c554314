import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import { likeness } from '../../domain/session/compare-twin.ts'
import type { SessionStep } from '../../domain/session/session-step.ts'
import { eventMsOf, JUDGE_FILTER, toTraceSpan } from '../records/judge-span.ts'
import { type SegmentRow, spansOfSegment } from '../records/read-spans.ts'
import type { RecordOwner } from '../records/record-sessions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { type AskedSession, readWholeSession, type WholeSession } from './whole-session.ts'

/** Sessions on each side of ours in time that are looked through by their rows, and those that are read. */
const ROWS_MAX = 1_000
const CANDIDATES_MAX = 12
/** A session of more traces or spans is not read to be compared with. */
const TRACES_MAX = 20
const SPANS_MAX = 5_000
/** Around the arrival of ours, where a twin of a session without an agent is looked for. */
const NEAR_MS = 30 * 60_000
const SEGMENTS_MAX = 8
const SEGMENT_SPANS_MAX = 30_000

export interface Twin {
  session: WholeSession
  likeness: number
}

export type NoTwin = 'no_healthy_session_like_it' | 'no_root_span'

/**
 * The healthy session that is most like ours: of the same agent, else of the same operation at its root; of two that are as like the
 * nearer in time. A bounded look around ours, not a search of all that is stored.
 */
export function findTwin(
  connection: TelemetryConnection,
  owner: RecordOwner,
  ours: WholeSession,
  ownTraces: readonly Uint8Array[],
): Twin | NoTwin {
  const own = new Set(ownTraces.map(toHex))
  const agent = agentOf(ours)
  const root = ours.steps.find(({ isRoot }) => isRoot)
  if (agent === null && root === undefined) return 'no_root_span'
  const near = { ours, own }
  const ofAgent =
    agent === null ? null : mostLike(connection, owner, { ours, agent, asked: sessionsOf(connection, owner, { ...near, agent }) })
  const found =
    ofAgent ??
    (root ? mostLike(connection, owner, { ours, agent, asked: tracesLike(connection, owner, { ...near, root }) }) : null)
  return found ?? 'no_healthy_session_like_it'
}

interface Asked {
  ours: WholeSession
  agent: string | null
  asked: readonly AskedSession[]
}

function mostLike(connection: TelemetryConnection, owner: RecordOwner, { ours, agent, asked }: Asked): Twin | null {
  const startMs = startOf(ours)
  const twins = asked
    .flatMap((one) => readWholeSession(connection, owner, one) ?? [])
    .filter(
      (session) =>
        session.parts.every(({ failures }) => failures === 0) && session.steps.length > 0 && agentOf(session) === agent,
    )
    .map((session) => ({
      session,
      likeness: likeness(ours.steps, session.steps),
      distance: Math.abs(startOf(session) - startMs),
    }))
    .filter((twin) => twin.likeness > 0)
    .sort((a, b) => b.likeness - a.likeness || a.distance - b.distance || (a.session.sessionId < b.session.sessionId ? -1 : 1))
  return twins[0] ?? null
}

function agentOf({ steps }: WholeSession): string | null {
  return steps.find((step) => step.agent !== null)?.agent ?? null
}

const startOf = ({ steps }: WholeSession) => (steps[0] ? eventMsOf({ ...steps[0], endUnixNano: 0n }) : 0)

interface Near {
  ours: WholeSession
  /** Hex ids of its traces. */
  own: ReadonlySet<string>
}

/** Sessions of the agent without a failure, the nearest by arrival first; whose an undecided one is shows when it is read. */
function sessionsOf(
  { db }: TelemetryConnection,
  { projectNo }: RecordOwner,
  { agent, ours, own }: Near & { agent: string },
): AskedSession[] {
  const side = (sign: string, order: string) => `
    select * from (select session_no, trace_id, received_ms, agent, failures, decided_ms from session_trace
      where project_no = @projectNo and received_ms ${sign} @atMs order by received_ms ${order} limit @rowsMax)`
  const near = db
    .prepare(
      `select session_no as sessionNo, s.session_id as id, s.explicit as explicit, min(abs(received_ms - @atMs)) as distance
       from (${side('<=', 'desc')} union all ${side('>', 'asc')}) join session s using (session_no)
       where failures = 0 and (agent = @agent or decided_ms is null)
       group by session_no order by distance, id limit @candidatesMax`,
    )
    .all({
      projectNo,
      agent,
      atMs: ours.receivedMs,
      rowsMax: ROWS_MAX,
      candidatesMax: CANDIDATES_MAX + own.size,
    }) as NearSession[]
  const parts = db.prepare(
    `select trace_id as traceId, spans, failures from session_trace
     where project_no = ? and session_no = ? order by received_ms, trace_hash limit ?`,
  )
  return near
    .flatMap(({ sessionNo, id, explicit }) => {
      const rows = parts.all(projectNo, sessionNo, TRACES_MAX + 1) as PartRow[]
      const isHealthy = rows.every(({ failures }) => failures === 0)
      const spans = rows.reduce((sum, row) => sum + row.spans, 0)
      const isOurs = rows.some(({ traceId }) => own.has(toHex(traceId)))
      if (!isHealthy || isOurs || rows.length > TRACES_MAX || spans > SPANS_MAX) return []
      return [
        {
          id,
          sessionNo: explicit === 1 ? sessionNo : null,
          traceIds: rows.map(({ traceId }) => new Uint8Array(traceId)),
          leftOut: 0,
        },
      ]
    })
    .slice(0, CANDIDATES_MAX)
}

interface NearSession {
  sessionNo: number
  id: string
  explicit: number
}

interface PartRow {
  traceId: Uint8Array
  spans: number
  failures: number
}

/** Traces that begin with the same operation and whose root did not fail, the nearest in time first. */
function tracesLike(
  { db, segments }: TelemetryConnection,
  { projectNo, off }: RecordOwner,
  { root, ours, own }: Near & { root: SessionStep },
): AskedSession[] {
  const rows = db
    .prepare(
      `select kind, body, body_bytes, commits from segment
       where project_no = ? and kind = 'span' and received_max_ms >= ? and received_min_ms < ?
       order by abs(received_min_ms - ?), first_commit limit ?`,
    )
    .iterate(
      projectNo,
      ours.receivedMs - NEAR_MS,
      ours.receivedMs + NEAR_MS,
      ours.receivedMs,
      SEGMENTS_MAX,
    ) as Iterable<SegmentRow>
  const isOff = new Set(off)
  const found = new Map<string, number>()
  let spans = 0
  for (const row of rows) {
    for (const { ctx } of spansOfSegment(row, segments.open, JUDGE_FILTER) ?? []) {
      if (++spans > SEGMENT_SPANS_MAX) break
      if (ctx.span.parentSpanId !== null || own.has(toHex(ctx.span.traceId))) continue
      const { view, detection } = toTraceSpan(ctx, isOff)
      const isSame = toIndexText(view.service) === toIndexText(root.service) && view.operation === root.operation
      if (isSame && detection === null && ctx.span.endUnixNano !== 0n) {
        found.set(toHex(ctx.span.traceId), Math.abs(eventMsOf({ ...ctx.span, endUnixNano: 0n }) - startOf(ours)))
      }
    }
    if (spans > SEGMENT_SPANS_MAX) break
  }
  return [...found]
    .sort(([a, near], [b, far]) => near - far || (a < b ? -1 : 1))
    .slice(0, CANDIDATES_MAX)
    .map(([id]) => ({ id, sessionNo: null, traceIds: [fromHex(id)!], leftOut: 0 }))
}
