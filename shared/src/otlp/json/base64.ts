import type { ProtoWriter } from '../proto-writer.ts'

const NO_DIGIT = 255

/** Byte → the six bits it stands for in the standard and in the URL alphabet. */
const DIGITS = new Uint8Array(256).fill(NO_DIGIT)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
for (let i = 0; i < 64; i++) DIGITS[ALPHABET.charCodeAt(i)] = i
DIGITS['-'.charCodeAt(0)] = 62
DIGITS['_'.charCodeAt(0)] = 63

/**
 * Writes the bytes that base64 stands for, in either alphabet, with padding or without, and says whether it is any;
 * where it is not, nothing has been written.
 */
export function writeBase64(writer: ProtoWriter, text: Uint8Array, start: number, end: number): boolean {
  let stop = end
  while (stop > start && end - stop < 2 && text[stop - 1] === 0x3d) stop--
  if ((stop - start) % 4 === 1 || (stop < end && (end - start) % 4 !== 0)) return false
  writer.reserve(stop - start)
  const out = writer.bytes
  let to = writer.at
  let bits = 0
  let held = 0
  for (let at = start; at < stop; at++) {
    const digit = DIGITS[text[at]!]!
    if (digit === NO_DIGIT) return false
    bits = ((bits << 6) | digit) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      out[to++] = bits >> held
    }
  }
  writer.at = to
  return true
}
