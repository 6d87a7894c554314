import { isLoneTrace, loneTraceId } from './lone-trace-id.ts'

/** Digits in ASCII order, so ids of one length sort as their bytes do. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const BASE = 62
const PREFIX = 'rec_'
const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8
/** 24 bytes as 16-bit limbs: a limb times the base stays exact in a double. */
const LIMBS = (TRACE_ID_BYTES + SPAN_ID_BYTES) / 2
/** The fewest base-62 digits that hold 192 bits. */
const WIDTH = 33

const valueOfDigit = new Map([...DIGITS].map((digit, value) => [digit, value]))

/**
 * The record's name: `rec_` and base62 of (trace id, span id), always 37 characters. Reversible, so it needs no index. For a
 * log record without a trace, zeros stand for the trace id that it has inside.
 */
export function encodeRecordId(traceId: Uint8Array, spanId: Uint8Array): string {
  return encodeIds(isLoneTrace(traceId, spanId) ? NO_TRACE : traceId, spanId)
}

const NO_TRACE = new Uint8Array(TRACE_ID_BYTES)

/** Encoding works on 24-bit limbs and takes four digits at a time, which stays exact in a double, too: a fifth of the divisions. */
const WIDE_LIMBS = (TRACE_ID_BYTES + SPAN_ID_BYTES) / 3
const DIGITS_AT_ONCE = 4
const WIDE_BASE = BASE ** DIGITS_AT_ONCE
const WIDE_LIMB = 2 ** 24

function encodeIds(traceId: Uint8Array, spanId: Uint8Array): string {
  const byte = (i: number) => (i < TRACE_ID_BYTES ? (traceId[i] ?? 0) : (spanId[i - TRACE_ID_BYTES] ?? 0))
  const limbs = new Float64Array(WIDE_LIMBS)
  for (let i = 0; i < WIDE_LIMBS; i++) limbs[i] = byte(i * 3) * 65_536 + byte(i * 3 + 1) * 256 + byte(i * 3 + 2)
  let text = ''
  for (let digit = 0; digit < WIDTH; digit += DIGITS_AT_ONCE) {
    let group = divide(limbs)
    for (let i = 0; i < DIGITS_AT_ONCE && digit + i < WIDTH; i++, group = Math.floor(group / BASE))
      text = DIGITS[group % BASE] + text
  }
  return PREFIX + text
}

/** Divides the number in place and returns the remainder. */
function divide(limbs: Float64Array): number {
  let remainder = 0
  for (let i = 0; i < WIDE_LIMBS; i++) {
    const dividend = remainder * WIDE_LIMB + limbs[i]!
    limbs[i] = Math.floor(dividend / WIDE_BASE)
    remainder = dividend % WIDE_BASE
  }
  return remainder
}

/** The ids a record id stands for, or null for any text that `encodeRecordId` cannot have written. */
export function decodeRecordId(text: string): { traceId: Uint8Array; spanId: Uint8Array } | null {
  if (text.length !== PREFIX.length + WIDTH || !text.startsWith(PREFIX)) return null
  const limbs = new Uint16Array(LIMBS)
  for (let i = PREFIX.length; i < text.length; i++) {
    const value = valueOfDigit.get(text[i]!)
    if (value === undefined || !multiplyByBaseAndAdd(limbs, value)) return null
  }
  const bytes = new Uint8Array(TRACE_ID_BYTES + SPAN_ID_BYTES)
  for (let i = 0; i < bytes.length; i++) bytes[i] = i & 1 ? limbs[i >> 1]! & 0xff : limbs[i >> 1]! >> 8
  const spanId = bytes.slice(TRACE_ID_BYTES)
  const hasTrace = bytes.subarray(0, TRACE_ID_BYTES).some((byte) => byte !== 0)
  return { traceId: hasTrace ? bytes.slice(0, TRACE_ID_BYTES) : loneTraceId(spanId), spanId }
}

/** False where the number would outgrow 192 bits. */
function multiplyByBaseAndAdd(limbs: Uint16Array, value: number): boolean {
  let carry = value
  for (let i = LIMBS - 1; i >= 0; i--) {
    const product = limbs[i]! * BASE + carry
    limbs[i] = product & 0xffff
    carry = product >>> 16
  }
  return carry === 0
}
