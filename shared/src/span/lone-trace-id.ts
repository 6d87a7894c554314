const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8
/** How the trace id of a record without one is shown. */
export const NO_TRACE_ID = '0'.repeat(TRACE_ID_BYTES * 2)

/** Spells "loglones". */
const MARK = [0x6c, 0x6f, 0x67, 0x6c, 0x6f, 0x6e, 0x65, 0x73]

/**
 * The trace id that stands inside for a log record without one: 8 bytes made of the record's own id, then that id. So each
 * of them is a trace of its own, and is judged, indexed and found as one; outside its trace id is zeros (contract §1).
 */
export function loneTraceId(recordId: Uint8Array): Uint8Array {
  const traceId = new Uint8Array(TRACE_ID_BYTES)
  for (let i = 0; i < SPAN_ID_BYTES; i++) {
    traceId[i] = recordId[i]! ^ MARK[i]!
    traceId[SPAN_ID_BYTES + i] = recordId[i]!
  }
  return traceId
}

/** Whether these ids are those of a log record without a trace. A sender's own ids have this form once in 2^128. */
export function isLoneTrace(traceId: Uint8Array, spanId: Uint8Array): boolean {
  if (traceId.length !== TRACE_ID_BYTES || spanId.length !== SPAN_ID_BYTES) return false
  for (let i = 0; i < SPAN_ID_BYTES; i++) {
    if (traceId[SPAN_ID_BYTES + i] !== spanId[i] || traceId[i] !== (spanId[i]! ^ MARK[i]!)) return false
  }
  return true
}
