import type { OtlpSpan } from '../otlp/model.ts'
import { isBeyondIndex, msToNano } from './nanoseconds.ts'

/** 2000-01-01: older than any telemetry. A time below it was sent in microseconds or milliseconds, or is unknown. */
const EARLIEST_PLAUSIBLE_NANO = 946_684_800_000_000_000n
/** Clocks drift by minutes; one that is an hour ahead of ours is set wrong. */
const AHEAD_TOLERANCE_MS = 3_600_000

/**
 * Whether a span's times cannot be right: start unknown, before 2000 or beyond 2^63, end before start, or either more than an
 * hour after arrival. A start in the past is none of these, however old: queues are flushed and data is replayed.
 * A span that has not ended is judged by its start.
 */
export function isClockSuspect(span: Pick<OtlpSpan, 'startUnixNano' | 'endUnixNano'>, receivedAtMs: number): boolean {
  const { startUnixNano, endUnixNano } = span
  if (startUnixNano < EARLIEST_PLAUSIBLE_NANO || isBeyondIndex(startUnixNano) || isBeyondIndex(endUnixNano)) return true
  if (endUnixNano !== 0n && endUnixNano < startUnixNano) return true
  const latestNano = msToNano(receivedAtMs + AHEAD_TOLERANCE_MS)
  return startUnixNano > latestNano || endUnixNano > latestNano
}
