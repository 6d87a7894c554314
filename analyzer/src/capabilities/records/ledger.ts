import { parseTraceId } from '@loopkit/shared/otlp/ids'
import { showWindow, windowOfLast } from '../../domain/window.ts'
import { fail } from '../../http/errors.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import { invalidId } from './records.contract.ts'

export interface LedgerDeps {
  ask: AskTelemetry
  nowMs: () => number
  sinceMinutesDefault: number
  /** How long a trace is quiet before it is decided. */
  quietMs: number
}

/** What happened to everything that was sent in the window. */
export async function readLedger({ ask, nowMs, sinceMinutesDefault }: LedgerDeps, projectNo: number, sinceMinutes?: number) {
  const window = windowOfLast(sinceMinutes ?? sinceMinutesDefault, nowMs())
  const { counts } = await ask('ledger', { projectNo, window })
  const total = (what: string) => counts[what] ?? 0
  const rejected = family(counts, 'rejected:')
  const kept = family(counts, 'kept:')
  const notKept = family(counts, 'not_kept:')
  const deduplicated = sentAgain(counts)
  return {
    window: showWindow(window),
    received: total('accepted') + deduplicated + sumOf(rejected) + sumOf(kept) + sumOf(notKept),
    accepted: total('accepted'),
    deduplicated,
    rejected,
    redacted: total('redacted'),
    capped: total('capped'),
    refused_requests: family(counts, 'refused:'),
    kept,
    not_kept: notKept,
    replaced: total('replaced'),
    conflicts: total('conflict'),
  }
}

/** What a span can be that is there already: the same, one that ends what had not ended, or another one of the same ids. */
const SENT_AGAIN = ['deduplicated', 'replaced', 'conflict']

function sumOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function family(counts: Record<string, number>, prefix: string): Record<string, number> {
  const found = Object.entries(counts).filter(([what]) => what.startsWith(prefix))
  return Object.fromEntries(found.map(([what, count]) => [what.slice(prefix.length), count]))
}

function sentAgain(counts: Record<string, number>): number {
  return SENT_AGAIN.reduce((sum, what) => sum + (counts[what] ?? 0), 0)
}

/** Of so many traces that not all could be counted; the ledger has them by minute. */
const COUNTED_BY_MINUTE = { deduplicated: 'counted_by_minute_only', rejected: 'counted_by_minute_only' }

export async function readReceipt({ ask, nowMs, quietMs }: LedgerDeps, projectNo: number, id: string) {
  const parsed = parseTraceId(id) ?? fail(invalidId, 'a trace id is not empty and not all zero')
  const receipt = await ask('receipt', { projectNo, traceId: parsed.bytes, quietMs, nowMs: nowMs() })
  const { counts } = receipt
  return {
    trace_id: receipt.traceId ?? id,
    found: receipt.firstReceivedAt !== null,
    spans: receipt.spans,
    logs: receipt.logs,
    first_received_at: receipt.firstReceivedAt,
    last_received_at: receipt.lastReceivedAt,
    deduplicated: counts && sentAgain(counts),
    rejected: counts && family(counts, 'rejected:'),
    decided_at: receipt.decidedAt,
    services: receipt.services,
    stored_in: receipt.commits.map((commit) => `commit ${commit}`),
    unavailable: counts ? {} : COUNTED_BY_MINUTE,
    omitted: receipt.omitted.map((one) => ({ ...one })),
  }
}
