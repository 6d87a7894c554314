import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { toHex } from '@loopkit/shared/otlp/ids'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import { eachTrace } from '../records/each-trace.ts'
import { JUDGE_FILTER, sessionText } from '../records/judge-span.ts'
import { judgeWhole } from '../records/judge-whole.ts'
import type { RecordOwner } from '../records/record-sessions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { listSessions, readStored, type SessionRow, type SessionsPosition, type StoredPart } from './session-rows.ts'
import { type PartTotals, type SessionTotals, sumParts, toTotals } from './session-totals.ts'

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
export type SessionSummary = SessionTotals & {
  session_id: string
  traces: number
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
  return {
    session_id: row.explicit ? row.sessionId : sentId(row, stored, traces),
    ...sumParts(parts),
    traces: Math.max(stored.length, read.length),
    last_received_at: msToIso(row.atMs),
    provisional: open.length > 0 || row.lone?.decided === false,
  }
}

function judgePart(asking: Asking, row: SessionRow, spans: readonly StoredSpan[]): PartTotals[] {
  const { projectId, off } = asking
  const { sessions } = judgeWhole(asking.connection, { projectId, off: new Set(off), isOver: false }, spans)
  const own = row.explicit ? sessions.filter(({ sessionId }) => toIndexText(sessionId) === row.sessionId) : sessions
  return own.map(toTotals)
}

function sentId({ sessionId, lone }: SessionRow, stored: StoredPart[], traces: ReadonlyMap<string, StoredSpan[]>): string {
  const traceId = lone?.traceId ?? stored[0]?.traceId
  const [first] = traceId ? (traces.get(toHex(traceId)) ?? []) : []
  return first ? sessionText(toHex(first.ctx.span.traceId), first.ctx.span) : sessionId
}
