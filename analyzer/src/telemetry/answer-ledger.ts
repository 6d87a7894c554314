import { AWAITS_END } from '@loopkit/shared/database/telemetry/awaits-end'
import { readTraceCounts } from '@loopkit/shared/database/telemetry/trace-counts'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import { viewSpan } from '@loopkit/shared/span/view-span'
import type { Omission } from '../domain/packet/model.ts'
import type { MinuteWindow } from '../domain/window.ts'
import { readAskedTrace } from './records/each-trace.ts'
import { JUDGE_FILTER, traceIdText } from './records/judge-span.ts'
import { omittedSegments } from './records/omitted-segments.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface LedgerAnswer {
  /** What happened → how often: `accepted`, `deduplicated`, `rejected:trace_id_zero`, `refused:queue_full` … */
  counts: Record<string, number>
}

/** What the collector did with what it got, by minute of arrival. */
export function answerLedger(
  { db }: TelemetryConnection,
  { projectNo, window }: { projectNo: number; window: MinuteWindow },
): LedgerAnswer {
  const rows = db
    .prepare(
      'select what, sum(count) as count from ledger where project_no = ? and minute >= ? and minute < ? group by what order by what',
    )
    .all(projectNo, window.fromMinute, window.toMinute) as { what: string; count: number }[]
  return { counts: Object.fromEntries(rows.map(({ what, count }) => [what, count])) }
}

export interface ReceiptQuestion {
  projectNo: number
  traceId: Uint8Array
  /** How long a trace is quiet before it counts as decided. */
  quietMs: number
  nowMs: number
}

export interface Receipt {
  /** As it was sent; null where nothing of it can be read. */
  traceId: string | null
  spans: number
  logs: number
  firstReceivedAt: string | null
  lastReceivedAt: string | null
  decidedAt: string | null
  services: string[]
  commits: number[]
  omitted: Omission[]
  /** What became of its spans that were not stored, as the ledger names it → how often; null where counts may be missing. */
  counts: Record<string, number> | null
}

/** Nothing of it is stored, or what holds it cannot be read. */
const NOTHING_READ: Receipt = {
  traceId: null,
  spans: 0,
  logs: 0,
  firstReceivedAt: null,
  lastReceivedAt: null,
  decidedAt: null,
  services: [],
  commits: [],
  omitted: [],
  counts: null,
}

const SERVICES_MAX = 50
const COMMITS_MAX = 50

/** Where a trace is, and what became of those of its spans that were not stored. */
export function answerReceipt(connection: TelemetryConnection, question: ReceiptQuestion): Receipt {
  const damaged = new Set<number>()
  const reading = { filter: JUDGE_FILTER, damaged }
  const stored = readAskedTrace(connection, question.projectNo, question.traceId, reading)
  const omitted = omittedSegments(damaged.size)
  const [first] = stored
  if (!first) return { ...NOTHING_READ, omitted, counts: countsSince(connection, question, null) }
  const arrivals = stored.map(({ receivedMs }) => receivedMs).sort((a, b) => a - b)
  const lastMs = arrivals.at(-1)!
  const decidedMs = readDecidedMs(connection, question, lastMs)
  return {
    traceId: traceIdText(first.ctx.span),
    spans: stored.filter(({ ctx }) => !ctx.span.log).length,
    logs: stored.filter(({ ctx }) => ctx.span.log).length,
    firstReceivedAt: msToIso(arrivals[0]!),
    lastReceivedAt: msToIso(lastMs),
    decidedAt: decidedMs === null ? null : msToIso(decidedMs),
    services: [...new Set(stored.map(({ ctx }) => viewSpan(ctx).service))].sort().slice(0, SERVICES_MAX),
    commits: [...new Set(stored.map(({ commit }) => commit))].sort((a, b) => a - b).slice(0, COMMITS_MAX),
    omitted,
    counts: countsSince(connection, question, arrivals[0]!),
  }
}

/** null where some that came at that time or later may be missing. */
function countsSince({ db, hasher }: TelemetryConnection, { projectNo, traceId }: ReceiptQuestion, firstMs: number | null) {
  const { counts, missingUntilMs } = readTraceCounts(db, projectNo, BigInt.asIntN(64, hasher(projectNo, traceId)))
  return missingUntilMs === null || (firstMs !== null && firstMs > missingUntilMs) ? counts : null
}

/** A trace that nothing is to be judged for has no row: it is decided when it has been quiet long enough. */
function readDecidedMs(
  { db, hasher, decisions }: TelemetryConnection,
  { projectNo, traceId, quietMs, nowMs }: ReceiptQuestion,
  lastMs: number,
): number | null {
  const hash = BigInt.asIntN(64, hasher(projectNo, traceId))
  if (db.prepare(`select 1 from open_trace where project_no = ? and trace_hash = ? and not (${AWAITS_END})`).get(projectNo, hash))
    return null
  const last = decisions(projectNo, hash).at(-1)
  const decided = db.prepare('select decided_ms from decision where decision_no = ?').pluck()
  const decidedMs = last === undefined ? undefined : (decided.get(last) as number | undefined)
  return decidedMs ?? (lastMs + quietMs <= nowMs ? lastMs + quietMs : null)
}
