import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.ts'
import { ABSENT, readTag, readVarint, skipField, varintEnd } from './wire.ts'

/** The ids and times of a span where they lie, without the rest of it. */
export interface SpanHead {
  traceIdAt: number
  spanIdAt: number
  startUnixNano: bigint
  endUnixNano: bigint
}

const TRACE_ID_TAG = 0x0a
const SPAN_ID_TAG = 0x12
const START_TAG = 0x39
const END_TAG = 0x41

/** The head of the Span message at these bytes, as `scanTraces` would say. For bodies that were scanned before, as stored ones were. */
export function readSpanHead(bytes: Uint8Array, view: DataView, start: number, end: number): SpanHead {
  const head: SpanHead = { traceIdAt: ABSENT, spanIdAt: ABSENT, startUnixNano: 0n, endUnixNano: 0n }
  for (let p = start; p < end; ) {
    let tag = bytes[p++]!
    if (tag >= 0x80) {
      tag = readTag(bytes, p - 1, end)
      p = varintEnd(bytes, p - 1, end)
    }
    if ((tag & 7) !== 2) {
      if (tag === START_TAG) head.startUnixNano = view.getBigUint64(p, true)
      else if (tag === END_TAG) head.endUnixNano = view.getBigUint64(p, true)
      p = skipField(bytes, tag, p, end)
      continue
    }
    let length = bytes[p++]!
    if (length >= 0x80) {
      length = readVarint(bytes, p - 1, end)
      p = varintEnd(bytes, p - 1, end)
    }
    if (tag === TRACE_ID_TAG) head.traceIdAt = length === TRACE_ID_BYTES ? p : ABSENT
    else if (tag === SPAN_ID_TAG) head.spanIdAt = length === SPAN_ID_BYTES ? p : ABSENT
    p += length
  }
  return head
}
