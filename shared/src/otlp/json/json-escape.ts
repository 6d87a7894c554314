import { OtlpDecodeError } from '../decode-error.ts'

export const QUOTE = 0x22
export const BACKSLASH = 0x5c
const LETTER_U = 0x75
const REPLACEMENT = 0xfffd

/** Byte → 1 where it stands for itself in a string; 0 for the quote, the backslash and control characters. */
export const IS_PLAIN = new Uint8Array(256).fill(1).fill(0, 0, 0x20)
IS_PLAIN[QUOTE] = 0
IS_PLAIN[BACKSLASH] = 0

/**
 * Of four bytes of a string, read as a word: the highest bit of each that does not stand for itself. The lowest bit that is set is exact;
 * those above it may be set for nothing. 0 where all four stand for themselves.
 */
export function specialBytes(word: number): number {
  const quotes = word ^ 0x22222222
  const backslashes = word ^ 0x5c5c5c5c
  // A byte minus one has its highest bit set where the byte is zero, and minus 0x20 where it is a control character.
  const found = ((word - 0x20202020) & ~word) | ((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes)
  return found & 0x80808080
}

/** No escape stands there. */
const INVALID = -1

/** What stands behind a backslash → the byte it means; 0 for what means nothing. */
const SIMPLE_ESCAPES = new Uint8Array(256)
for (const [letter, meant] of Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }))
  SIMPLE_ESCAPES[letter.charCodeAt(0)] = meant.charCodeAt(0)

/** The text of a string's content, with its escapes resolved. */
export function unescapedText(bytes: Buffer, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; ) {
    const backslash = bytes.indexOf(BACKSLASH, at)
    if (backslash < 0 || backslash >= end) return text + bytes.toString('utf8', at, end)
    const code = escapedCode(bytes, backslash)
    text += bytes.toString('utf8', at, backslash) + String.fromCodePoint(code)
    at = escapeEnd(bytes, backslash, code)
  }
  return text
}

/** The character that the escape at this place means; U+FFFD for half of one. Throws `malformed_json` where it means nothing. */
export function escapedCode(bytes: Buffer, at: number): number {
  const simple = SIMPLE_ESCAPES[bytes[at + 1] ?? 0]!
  if (simple > 0) return simple
  const code = codePointAt(bytes, at)
  if (code === INVALID) throw new OtlpDecodeError('malformed_json', `an escape that means nothing at byte ${at}`)
  return code >= 0xd800 && code <= 0xdfff ? REPLACEMENT : code
}

/** Offset behind the escape at this place, which means `code`. */
export function escapeEnd(bytes: Buffer, at: number, code: number): number {
  if (bytes[at + 1] !== LETTER_U) return at + 2
  return code > 0xffff ? at + 12 : at + 6
}

/** What `\uXXXX` at this place means, together with a second one where both are halves of one character; -1 for no such. */
function codePointAt(bytes: Buffer, at: number): number {
  const first = hexEscapeAt(bytes, at)
  if (first < 0xd800 || first > 0xdbff) return first
  const second = hexEscapeAt(bytes, at + 6)
  return second >= 0xdc00 && second <= 0xdfff ? 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00) : first
}

function hexEscapeAt(bytes: Buffer, at: number): number {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== LETTER_U) return INVALID
  let value = 0
  for (let i = at + 2; i < at + 6; i++) {
    const digit = HEX_DIGITS[bytes[i] ?? 0]!
    if (digit === NO_DIGIT) return INVALID
    value = value * 16 + digit
  }
  return value
}

export const NO_DIGIT = 255

/** Byte → the value of that hex digit, or `NO_DIGIT`. */
export const HEX_DIGITS = new Uint8Array(256).fill(NO_DIGIT)
for (let i = 0; i < 16; i++) {
  HEX_DIGITS[i.toString(16).charCodeAt(0)] = i
  HEX_DIGITS[i.toString(16).toUpperCase().charCodeAt(0)] = i
}

export function putUtf8(out: Buffer, at: number, code: number): number {
  let to = at
  if (code < 0x80) out[to++] = code
  else if (code < 0x800) out[to++] = 0xc0 | (code >> 6)
  else if (code < 0x10000) {
    out[to++] = 0xe0 | (code >> 12)
    out[to++] = 0x80 | ((code >> 6) & 0x3f)
  } else {
    out[to++] = 0xf0 | (code >> 18)
    out[to++] = 0x80 | ((code >> 12) & 0x3f)
    out[to++] = 0x80 | ((code >> 6) & 0x3f)
  }
  if (code >= 0x80) out[to++] = 0x80 | (code & 0x3f)
  return to
}
