import { type AttributeFilter, wantsPrefix } from './attribute-filter.ts'
import { findByteKey } from './byte-keys.ts'
import type { OtlpAttributes, OtlpValue } from './model.ts'
import { readText, type TextSource } from './read-text.ts'
import { readInt64, readTag, readVarint, skipField, varintEnd } from './wire.ts'

/** Deeper values are shown as empty. A scan refuses their spans long before (64), so this only guards the stack. */
const DEPTH_SHOWN_MAX = 300

/** No honest span has as many; see `DecodeSource.budget`. */
export const VALUES_SHOWN_MAX = 262_144

/**
 * What is being decoded. `budget` is what may still be made of this span: list elements, events, links. Two bytes of a
 * hostile body could otherwise become an object of a hundred.
 */
export interface DecodeSource extends TextSource {
  budget: number
  float: DataView
}

/** Reads one KeyValue into `into`. With a filter, an attribute that it does not want is left out. */
export function decodeKeyValue(
  source: DecodeSource,
  start: number,
  end: number,
  into: OtlpAttributes,
  filter: AttributeFilter | null,
  depth = 1,
): void {
  const { bytes } = source
  let keyAt = 0
  let keyEnd = 0
  let valueAt = -1
  let valueEnd = -1
  let pieces: number[] | null = null
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) {
      keyAt = varintEnd(bytes, p, end)
      keyEnd = next
    } else if (tag === 0x12) {
      if (valueAt >= 0) pieces = [...(pieces ?? []), valueAt, valueEnd]
      valueAt = varintEnd(bytes, p, end)
      valueEnd = next
    }
    p = next
  }
  const key = filter === null ? readText(source, keyAt, keyEnd) : wantedKey(source, keyAt, keyEnd, filter)
  if (key === null) return
  let value: OtlpValue = null
  if (pieces !== null)
    for (let i = 0; i < pieces.length; i += 2) value = decodeAnyValue(source, pieces[i]!, pieces[i + 1]!, depth, value)
  if (valueAt >= 0 && filter !== null && valueEnd - valueAt > filter.textMaxBytes && bytes[valueAt] === 0x0a)
    into.set(key, cutText(source, valueAt, valueEnd, filter.textMaxBytes))
  else into.set(key, valueAt < 0 ? null : decodeAnyValue(source, valueAt, valueEnd, depth, value))
}

/** The beginning of a long text, up to its last whole character. */
function cutText({ bytes }: DecodeSource, start: number, end: number, maxBytes: number): string {
  const at = varintEnd(bytes, start + 1, end)
  let stop = Math.min(end, at + maxBytes)
  while (stop > at && stop < end && (bytes[stop]! & 0xc0) === 0x80) stop--
  return bytes.toString('utf8', at, stop)
}

function wantedKey(source: DecodeSource, start: number, end: number, filter: AttributeFilter): string | null {
  const found = findByteKey(filter.keys, source.bytes, start, end)
  if (found >= 0) return filter.keys.names[found]!
  return wantsPrefix(filter, source.bytes, start, end) ? readText(source, start, end) : null
}

/** Reads an AnyValue. `value` is what earlier pieces of the same value said: protobuf merges a message that repeats. */
export function decodeAnyValue(source: DecodeSource, start: number, end: number, depth: number, before: OtlpValue): OtlpValue {
  if (depth > DEPTH_SHOWN_MAX) return null
  const { bytes } = source
  let value = before
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) value = readText(source, varintEnd(bytes, p, end), next)
    else if (tag === 0x10) value = readVarint(bytes, p, end) !== 0
    else if (tag === 0x18) value = readInt64(bytes, p, end)
    else if (tag === 0x21) value = source.float.getFloat64(p, true)
    else if (tag === 0x2a) value = decodeArray(source, varintEnd(bytes, p, end), next, depth, Array.isArray(value) ? value : [])
    else if (tag === 0x32)
      value = decodeMap(source, varintEnd(bytes, p, end), next, depth, value instanceof Map ? value : new Map())
    else if (tag === 0x3a) value = copyBytes(bytes, varintEnd(bytes, p, end), next)
    p = next
  }
  return value
}

function decodeArray(source: DecodeSource, start: number, end: number, depth: number, into: OtlpValue[]): OtlpValue[] {
  const { bytes } = source
  for (let p = start; p < end && source.budget > 0; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) {
      source.budget--
      into.push(decodeAnyValue(source, varintEnd(bytes, p, end), next, depth + 1, null))
    }
    p = next
  }
  return into
}

function decodeMap(source: DecodeSource, start: number, end: number, depth: number, into: OtlpAttributes): OtlpAttributes {
  const { bytes } = source
  for (let p = start; p < end && source.budget > 0; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) {
      source.budget--
      decodeKeyValue(source, varintEnd(bytes, p, end), next, into, null, depth + 1)
    }
    p = next
  }
  return into
}

/** A copy: the body may lie in memory that is used again. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start)
  for (let i = 0; i < copy.length; i++) copy[i] = bytes[start + i]!
  return copy
}
