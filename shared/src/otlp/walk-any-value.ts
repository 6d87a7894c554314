import { malformedProtobuf, readTag, readVarint, skipField, varintEnd } from './wire.ts'

/**
 * Walks the content of a KeyValue, checking it, and says whether its value is nested at most `levels` deep (an
 * attribute's own value is one level). Throws where the bytes are no protobuf; below too deep a value they are not read.
 */
export function keyValueFits(body: Uint8Array, start: number, end: number, levels: number): boolean {
  let fits = true
  let p = start
  while (p < end) {
    let tag = body[p++]!
    if (tag >= 0x80) {
      tag = readTag(body, p - 1, end)
      p = varintEnd(body, p - 1, end)
    }
    if (tag !== 0x0a && tag !== 0x12) {
      p = skipField(body, tag, p, end)
      continue
    }
    let length = body[p++]!
    if (length >= 0x80) {
      length = readVarint(body, p - 1, end)
      p = varintEnd(body, p - 1, end)
    }
    const at = p
    p += length
    if (!(p <= end)) break
    if (tag === 0x12 && !anyValueFits(body, at, p, levels)) fits = false
  }
  if (p !== end) throw malformedProtobuf('truncated key-value', start)
  return fits
}

/** As `keyValueFits`, for the content of an AnyValue. */
export function anyValueFits(body: Uint8Array, start: number, end: number, levels: number): boolean {
  if (levels === 0) return false
  let fits = true
  let p = start
  while (p < end) {
    let tag = body[p++]!
    if (tag >= 0x80) {
      tag = readTag(body, p - 1, end)
      p = varintEnd(body, p - 1, end)
    }
    if (tag === 0x21) {
      p += 8
    } else if (tag === 0x0a || tag === 0x2a || tag === 0x32) {
      let length = body[p++]!
      if (length >= 0x80) {
        length = readVarint(body, p - 1, end)
        p = varintEnd(body, p - 1, end)
      }
      const at = p
      p += length
      if (!(p <= end)) break
      if (tag !== 0x0a && !listFits(body, at, p, levels - 1, tag === 0x32)) fits = false
    } else {
      p = skipField(body, tag, p, end)
    }
  }
  if (p !== end) throw malformedProtobuf('truncated value', start)
  return fits
}

/** ArrayValue and KeyValueList both hold their elements in field 1. */
function listFits(body: Uint8Array, start: number, end: number, levels: number, ofKeyValues: boolean): boolean {
  let fits = true
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x0a) {
      const at = varintEnd(body, p, end)
      if (!(ofKeyValues ? keyValueFits(body, at, next, levels) : anyValueFits(body, at, next, levels))) fits = false
    }
    p = next
  }
  return fits
}
