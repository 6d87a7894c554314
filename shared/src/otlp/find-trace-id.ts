import { TRACE_ID_BYTES } from './ids.ts'
import { ABSENT, readTag, readVarint, skipField, varintEnd } from './wire.ts'

const TRACE_ID_TAG = 0x0a

/**
 * Where the trace id of a Span message lies, as `scanTraces` would say, or `ABSENT`: the walk over its fields without a look
 * into them, a tenth of a scan. For bodies that were scanned before, as stored ones were.
 */
export function findTraceId(bytes: Uint8Array, start: number, end: number): number {
  let found = ABSENT
  for (let p = start; p < end; ) {
    let tag = bytes[p++]!
    if (tag >= 0x80) {
      tag = readTag(bytes, p - 1, end)
      p = varintEnd(bytes, p - 1, end)
    }
    if ((tag & 7) !== 2) {
      p = skipField(bytes, tag, p, end)
      continue
    }
    let length = bytes[p++]!
    if (length >= 0x80) {
      length = readVarint(bytes, p - 1, end)
      p = varintEnd(bytes, p - 1, end)
    }
    if (tag === TRACE_ID_TAG) found = length === TRACE_ID_BYTES ? p : ABSENT
    p += length
  }
  return found
}
