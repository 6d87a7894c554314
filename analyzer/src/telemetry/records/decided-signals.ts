import type { OtlpSpan } from '@loopkit/shared/otlp/model'
import type { Detection } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { spanNumber } from './judge-span.ts'

/** What the decision of its trace says that a span shows, where that is no matter of the span alone; null where it says nothing. */
export type DecidedSignals = (span: OtlpSpan) => Detection | null

interface DecidedRow {
  span_id: bigint
  signal: SignalType
  error_type: string | null
  message: string | null
}

/** Traces that are asked for; further ones of the same question show only what their spans show. */
const TRACES_MAX = 1_000

/** Asks each trace once. */
export function createDecidedSignals({ db, hasher, decisions }: TelemetryConnection, projectNo: number): DecidedSignals {
  const read = db
    .prepare(
      `select span_id, signal, error_type, sample_message as message from failure join fingerprint using (fingerprint_no)
       where failure.decision_no = ? and trace_hash = ?`,
    )
    .safeIntegers()
  const traces = new Map<bigint, ReadonlyMap<bigint, DecidedRow>>()

  function ofTrace(traceId: Uint8Array): ReadonlyMap<bigint, DecidedRow> | undefined {
    const hash = BigInt.asIntN(64, hasher(projectNo, traceId))
    const known = traces.get(hash)
    if (known !== undefined || traces.size >= TRACES_MAX) return known
    const rows = decisions(projectNo, hash).flatMap((decisionNo) => read.all(decisionNo, hash) as DecidedRow[])
    const found = new Map(rows.map((row) => [row.span_id, row]))
    traces.set(hash, found)
    return found
  }

  return (span) => {
    const row = ofTrace(span.traceId)?.get(spanNumber(span.spanId))
    if (row === undefined) return null
    const { signal, error_type: errorType, message } = row
    const because = 'the decision of its trace'
    return { signal, errorType, message, stack: null, code: null, spanKind: span.kind, userFingerprint: null, because }
  }
}
