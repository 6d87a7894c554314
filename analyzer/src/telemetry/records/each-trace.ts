import { readTraces, type StoredSpan, TooManySpansError } from '@loopkit/shared/database/telemetry/read-trace'
import type { AttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** Traces read together while they fit: each segment is then opened once for all of them. */
const TRACES_AT_ONCE = 50
/** Spans held in memory at once, but for a single trace that has more. */
const SPANS_AT_ONCE_MAX = 60_000
const TEXT_AT_ONCE_MAX_CHARS = 32_000_000

/** What is decoded, and where the ids of segments go that cannot be read. */
export interface TraceReading {
  filter: AttributeFilter
  damaged: Set<number>
}

/** Spans of one trace that are read for the one who asks for that trace: the largest that fits a usual body. */
const ASKED_TRACE_SPANS_MAX = 200_000

/** The spans of one trace that was asked for, in order of arrival; empty where it is not stored. */
export function readAskedTrace(
  { db, hasher, index, segments }: TelemetryConnection,
  projectNo: number,
  traceId: Uint8Array,
  { filter, damaged }: TraceReading,
): StoredSpan[] {
  const options = { filter, index, unpack: segments.open, damaged, spansMax: ASKED_TRACE_SPANS_MAX }
  return [...readTraces(db, hasher, projectNo, [traceId], options).values()].flat()
}

/** Every stored trace of these, a few at a time, so that a question about many traces holds few of them. */
export function eachTrace(
  connection: TelemetryConnection,
  projectNo: number,
  traceIds: readonly Uint8Array[],
  filter: AttributeFilter,
  damaged?: Set<number>,
): Generator<{ traceId: string; stored: StoredSpan[] }> {
  return eachTraceOf(connection, projectNo, traceIds, { filter, damaged, atOnce: TRACES_AT_ONCE })
}

/** The same for who knows how many to read together: what lies in one segment is then read of it at once. */
export function* eachTraceOf(
  connection: TelemetryConnection,
  projectNo: number,
  traceIds: readonly Uint8Array[],
  { atOnce, ...reading }: { filter: AttributeFilter; damaged?: Set<number> | undefined; atOnce: number },
): Generator<{ traceId: string; stored: StoredSpan[] }> {
  const distinct = [...new Set(traceIds.map(toHex))].map((id) => fromHex(id)!)
  for (let at = 0; at < distinct.length; at += atOnce) {
    yield* eachOf(connection, projectNo, distinct.slice(at, at + atOnce), reading)
  }
}

function* eachOf(
  connection: TelemetryConnection,
  projectNo: number,
  traceIds: Uint8Array[],
  reading: Partial<TraceReading>,
): Generator<{ traceId: string; stored: StoredSpan[] }> {
  const { db, hasher, index, segments } = connection
  const most = traceIds.length > 1 ? { totalSpansMax: SPANS_AT_ONCE_MAX, totalTextMaxChars: TEXT_AT_ONCE_MAX_CHARS } : {}
  let traces: Map<string, StoredSpan[]>
  try {
    traces = readTraces(db, hasher, projectNo, traceIds, { ...reading, index, unpack: segments.open, ...most })
  } catch (error) {
    if (!(error instanceof TooManySpansError)) throw error
    const half = Math.ceil(traceIds.length / 2)
    yield* eachOf(connection, projectNo, traceIds.slice(0, half), reading)
    yield* eachOf(connection, projectNo, traceIds.slice(half), reading)
    return
  }
  for (const [traceId, stored] of traces) yield { traceId, stored }
}
