import { OtlpDecodeError } from './decode-error.ts'

/*
 * Protobuf's wire format, as the walkers here use it. No function keeps a cursor: each takes an offset and gives a
 * value or the next offset back, so that positions stay in local variables, which is what makes the walks fast.
 */

/** Deeper groups than this are an attack: no OTLP message has any. */
const GROUP_DEPTH_MAX = 100

const TAG_MAX = 0xffffffff

/** No offset: the field was not there. */
export const ABSENT = 0xffffffff

export function malformedProtobuf(what: string, at: number): OtlpDecodeError {
  return new OtlpDecodeError('malformed_protobuf', `${what} at byte ${at}`)
}

/** The varint at `at` as a number: exact up to 2^53, which covers every tag and every length that fits a body. */
export function readVarint(body: Uint8Array, at: number, end: number): number {
  let value = 0
  let scale = 1
  for (let i = 0; i < 10; i++) {
    if (at + i >= end) throw malformedProtobuf('truncated varint', at)
    const byte = body[at + i]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      if (i === 9 && byte > 1) break
      return value
    }
    scale *= 128
  }
  throw malformedProtobuf('overlong varint', at)
}

/** Offset behind the varint at `at`, which is checked like in `readVarint`. */
export function varintEnd(body: Uint8Array, at: number, end: number): number {
  for (let i = 0; i < 10; i++) {
    if (at + i >= end) throw malformedProtobuf('truncated varint', at)
    const byte = body[at + i]!
    if (byte < 0x80) {
      if (i === 9 && byte > 1) break
      return at + i + 1
    }
  }
  throw malformedProtobuf('overlong varint', at)
}

/** The low 32 bits of the varint at `at`, signed: enums and 32-bit counts, where the rest is cut off as protobuf does. */
export function readVarint32(body: Uint8Array, at: number, end: number): number {
  let value = 0
  const stop = varintEnd(body, at, end)
  for (let p = at, shift = 0; p < stop && shift < 35; p++, shift += 7) value |= (body[p]! & 0x7f) << shift
  return value
}

/** The varint at `at` as a signed 64-bit integer: a number within ±2^53, else a bigint. */
export function readInt64(body: Uint8Array, at: number, end: number): number | bigint {
  const stop = varintEnd(body, at, end)
  let low = 0
  let high = 0
  for (let p = at, shift = 0; p < stop; p++, shift += 7) {
    const bits = body[p]! & 0x7f
    if (shift < 28) low |= bits << shift
    else if (shift === 28) {
      low |= bits << 28
      high = bits >>> 4
    } else high |= bits << (shift - 32)
  }
  const value = high * 0x1_0000_0000 + (low >>> 0)
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low >>> 0)
}

/** The tag at `at`: a field number of at most 2^29-1. That it is not 0 is checked by `skipField`, since no known field is. */
export function readTag(body: Uint8Array, at: number, end: number): number {
  const tag = readVarint(body, at, end)
  if (tag > TAG_MAX) throw malformedProtobuf('invalid tag', at)
  return tag
}

/** Offset behind the value of a field whose tag was just read; `at` is where the value starts. */
export function skipField(body: Uint8Array, tag: number, at: number, end: number): number {
  if (tag < 8) throw malformedProtobuf('invalid tag', at)
  switch (tag & 7) {
    case 0:
      return varintEnd(body, at, end)
    case 1:
      return within(at + 8, end)
    case 2: {
      const length = readVarint(body, at, end)
      return within(varintEnd(body, at, end) + length, end)
    }
    case 3:
      return skipGroup(body, tag >>> 3, at, end)
    case 5:
      return within(at + 4, end)
    default:
      throw malformedProtobuf('invalid wire type', at)
  }
}

function within(next: number, end: number): number {
  if (next > end) throw malformedProtobuf('field longer than its message', end)
  return next
}

function skipGroup(body: Uint8Array, field: number, at: number, end: number): number {
  const open = [field]
  let p = at
  while (open.length > 0) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    if ((tag & 7) === 3) {
      if (open.length === GROUP_DEPTH_MAX) throw new OtlpDecodeError('too_deep', `groups nested too deep at byte ${p}`)
      open.push(tag >>> 3)
    } else if ((tag & 7) === 4) {
      if (open.pop() !== tag >>> 3) throw malformedProtobuf('group closed by another', p)
    } else {
      p = skipField(body, tag, p, end)
    }
  }
  return p
}
