import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { SessionPart } from '@loopkit/shared/signals/model'
import { msToIso, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { eachTrace } from './each-trace.ts'
import { JUDGE_FILTER, sessionText } from './judge-span.ts'
import { judgeWhole } from './judge-whole.ts'
import type { RecordOwner } from './record-sessions.ts'
import { listSessions, readStored, type SessionRow, type SessionsPosition, type StoredPart } from './session-rows.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface SessionsQuestion extends RecordOwner {
  fromMs: number
  toMs: number
  /** Bounds of event time: sessions that reach into them. */
  eventFromMs: number | null
  eventToMs: number | null
  limit: number
  after: SessionsPosition | null
}

/** A session or a trace that stands for itself, as the list shows it. */
export type SessionSummary = {
  session_id: string
  agent: string | null
  user: string | null
  outcome: 'ok' | 'failed'
  turns: number
  tool_calls: number
  spans: number
  traces: number
  failures: number
  tokens: { input: number; output: number; total: number }
  cost_usd: number | null
  started_at: string | null
  ended_at: string | null
  duration_ms: number | null
  last_received_at: string
  /** Some of it is in traces that are not yet decided. */
  provisional: boolean
}

export interface SessionsAnswer {
  items: SessionSummary[]
  next: SessionsPosition | null
}

/** Undecided traces that one page judges; the totals of the rest come with their decision. */
const UNDECIDED_MAX = 500

/** Sessions by their last arrival, the newest first. */
export function answerSessions(connection: TelemetryConnection, question: SessionsQuestion): SessionsAnswer {
  const rows = listSessions(connection.db, { ...question, limit: question.limit + 1 })
  const page = rows.slice(0, question.limit)
  const stored = page.map((row) => readStored(connection.db, question.projectNo, row))
  const traces = readUndecided(connection, question, { page, stored })
  const items = page
    .map((row, at) => summarize({ ...question, connection }, { row, stored: stored[at]!, traces }))
    .filter(reachesInto(question))
  const last = page.at(-1)
  return { items, next: last && rows.length > question.limit ? { atMs: last.atMs, key: last.key } : null }
}

/** Undecided traces are known to be within only now: a page may hold fewer sessions than asked for. */
function reachesInto({ eventFromMs, eventToMs }: SessionsQuestion): (session: SessionSummary) => boolean {
  if (eventFromMs === null && eventToMs === null) return () => true
  const [from, to] = [eventFromMs ?? Number.NEGATIVE_INFINITY, eventToMs ?? Number.POSITIVE_INFINITY]
  return ({ started_at, ended_at }) => {
    const at = started_at ?? ended_at
    return at !== null && Date.parse(at) < to && Date.parse(ended_at ?? at) >= from
  }
}

/** The traces whose spans are needed: undecided ones for their totals, those that stand for themselves for the id that was sent. */
function readUndecided(
  connection: TelemetryConnection,
  { projectNo }: SessionsQuestion,
  { page, stored }: { page: SessionRow[]; stored: StoredPart[][] },
): Map<string, StoredSpan[]> {
  const ids = page.flatMap((row, at) => [
    ...stored[at]!.filter(({ decided }) => !decided || !row.explicit).map(({ traceId }) => traceId),
    ...(row.lone ? [row.lone.traceId] : []),
  ])
  const found = eachTrace(connection, projectNo, ids.slice(0, UNDECIDED_MAX), JUDGE_FILTER)
  return new Map([...found].map(({ traceId, stored }) => [traceId, stored]))
}

interface Asking extends RecordOwner {
  connection: TelemetryConnection
}

interface SummarySources {
  row: SessionRow
  stored: StoredPart[]
  traces: ReadonlyMap<string, StoredSpan[]>
}

function summarize(asking: Asking, { row, stored, traces }: SummarySources): SessionSummary {
  const open = stored.filter(({ decided }) => !decided).map(({ traceId }) => traceId)
  const read = row.lone ? [row.lone.traceId] : open
  const judged = read.flatMap((traceId) => judgePart(asking, row, traces.get(toHex(traceId)) ?? []))
  const parts = [...stored.filter(({ decided }) => decided), ...judged]
  const sum = (field: 'turns' | 'toolCalls' | 'spans' | 'failures' | 'inputTokens' | 'outputTokens') =>
    parts.reduce((total, part) => total + part[field], 0)
  const starts = parts.map(({ startMs }) => startMs).filter((ms) => ms > 0)
  const ends = parts.map(({ endMs }) => endMs).filter((ms) => ms > 0)
  const [startMs, endMs] = [starts.length > 0 ? Math.min(...starts) : null, ends.length > 0 ? Math.max(...ends) : null]
  const costs = parts.map(({ costUsd }) => costUsd).filter((cost) => cost !== null)
  const [input, output] = [sum('inputTokens'), sum('outputTokens')]
  return {
    session_id: row.explicit ? row.sessionId : sentId(row, stored, traces),
    agent: parts.find(({ agent }) => agent !== null)?.agent ?? null,
    user: parts.find(({ user }) => user !== null)?.user ?? null,
    outcome: sum('failures') > 0 ? 'failed' : 'ok',
    turns: sum('turns'),
    tool_calls: sum('toolCalls'),
    spans: sum('spans'),
    traces: Math.max(stored.length, read.length),
    failures: sum('failures'),
    tokens: { input, output, total: input + output },
    cost_usd: costs.length > 0 ? costs.reduce((total, cost) => total + cost, 0) : null,
    started_at: startMs === null ? null : msToIso(startMs),
    ended_at: endMs === null ? null : msToIso(endMs),
    duration_ms: startMs === null || endMs === null ? null : Math.max(0, endMs - startMs),
    last_received_at: msToIso(row.atMs),
    provisional: open.length > 0 || row.lone?.decided === false,
  }
}

type Totals = Omit<StoredPart, 'traceId' | 'decided'>

function judgePart(asking: Asking, row: SessionRow, spans: readonly StoredSpan[]): Totals[] {
  const { projectId, off } = asking
  const { sessions } = judgeWhole(asking.connection, { projectId, off: new Set(off), isOver: false }, spans)
  const own = row.explicit ? sessions.filter(({ sessionId }) => toIndexText(sessionId) === row.sessionId) : sessions
  return own.map(toTotals)
}

function toTotals({ startUnixNano, endUnixNano, sessionId: _id, explicit: _explicit, ...totals }: SessionPart): Totals {
  return { ...totals, startMs: nanoToMs(startUnixNano), endMs: nanoToMs(endUnixNano) }
}

function sentId({ sessionId, lone }: SessionRow, stored: StoredPart[], traces: ReadonlyMap<string, StoredSpan[]>): string {
  const traceId = lone?.traceId ?? stored[0]?.traceId
  const [first] = traceId ? (traces.get(toHex(traceId)) ?? []) : []
  return first ? sessionText(toHex(first.ctx.span.traceId), first.ctx.span) : sessionId
}
