import type { LoadTemplate } from './load-template.ts'

const HEX = Buffer.from('0123456789abcdef')
const WORD = 2 ** 32
const SECOND_NANOS = 1e9
const DIGITS = 10
const NANO_DIGITS = 9

/** Hex digit as a byte → its value. */
const VALUES = new Uint8Array(256)
for (let digit = 0; digit < 16; digit++) {
  VALUES[HEX[digit]!] = digit
  VALUES[HEX.toString('latin1').toUpperCase().charCodeAt(digit)] = digit
}

/**
 * Writes the template's body to `out` at `start`, every id changed by `mask` (16 bytes), which is the same for the same id, and
 * every time moved by `lateNanos`.
 */
export function renewBody(template: LoadTemplate, out: Uint8Array, start: number, mask: Uint8Array, lateNanos: number): void {
  const { bytes, traceIdsAt, spanIdsAt } = template
  out.set(bytes, start)
  const changeId = template.encoding === 'json' ? changeHexId : changeId8
  for (let i = 0; i < traceIdsAt.length; i++) changeId(out, start + traceIdsAt[i]!, mask, 16)
  for (let i = 0; i < spanIdsAt.length; i++) changeId(out, start + spanIdsAt[i]!, mask, 8)
  moveTimes(template, out, start, lateNanos)
}

function changeId8(out: Uint8Array, at: number, mask: Uint8Array, size: number): void {
  for (let i = 0; i < size; i++) out[at + i]! ^= mask[i]!
}

function changeHexId(out: Uint8Array, at: number, mask: Uint8Array, size: number): void {
  for (let i = 0; i < size; i++) {
    const p = at + i * 2
    const byte = ((VALUES[out[p]!]! << 4) | VALUES[out[p + 1]!]!) ^ mask[i]!
    out[p] = HEX[byte >> 4]!
    out[p + 1] = HEX[byte & 15]!
  }
}

function moveTimes({ encoding, timesAt, seconds, nanos }: LoadTemplate, out: Uint8Array, start: number, lateNanos: number): void {
  const lateSeconds = Math.floor(lateNanos / SECOND_NANOS)
  const lateRest = Math.floor(lateNanos % SECOND_NANOS)
  for (let i = 0; i < timesAt.length; i++) {
    let second = seconds[i]! + lateSeconds
    let nano = nanos[i]! + lateRest
    if (nano >= SECOND_NANOS) {
      nano -= SECOND_NANOS
      second++
    }
    if (encoding === 'json') {
      writeDigits(out, start + timesAt[i]!, DIGITS, second)
      writeDigits(out, start + timesAt[i]! + DIGITS, NANO_DIGITS, nano)
    } else writeFixed64(out, start + timesAt[i]!, second, nano)
  }
}

function writeDigits(out: Uint8Array, at: number, count: number, value: number): void {
  let rest = value
  for (let i = count - 1; i >= 0; i--) {
    const tenth = Math.floor(rest / 10)
    out[at + i] = 48 + rest - tenth * 10
    rest = tenth
  }
}

/** seconds * 10^9 + nanos in two words, each step below 2^53. */
function writeFixed64(out: Uint8Array, at: number, second: number, nano: number): void {
  const upper = Math.floor(second / 0x10000) * SECOND_NANOS
  const upperHigh = Math.floor(upper / 0x10000)
  const rest = (upper - upperHigh * 0x10000) * 0x10000 + (second % 0x10000) * SECOND_NANOS + nano
  const carry = Math.floor(rest / WORD)
  const low = rest - carry * WORD
  const high = upperHigh + carry
  for (let i = 0; i < 4; i++) {
    out[at + i] = low >>> (i * 8)
    out[at + 4 + i] = high >>> (i * 8)
  }
}
