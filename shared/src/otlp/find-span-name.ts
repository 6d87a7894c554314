import { readTag, readVarint, skipField, varintEnd } from './wire.ts'

const NAME_TAG = 0x2a
/** Longer names are compared by their beginning. */
const NAME_MAX_BYTES = 256

/**
 * The name of a Span message, one character a byte, without decoding anything else of it: enough to tell names apart. Empty where
 * it has none. For bodies that were scanned before, as stored ones were.
 */
export function findSpanName(bytes: Uint8Array, start: number, end: number): string {
  let [from, to] = [start, start]
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === NAME_TAG) {
      const length = readVarint(bytes, p, end)
      from = varintEnd(bytes, p, end)
      to = from + Math.min(length, NAME_MAX_BYTES)
    }
    p = next
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}
