import { isSecretKey } from './secret-keys.ts'

/** A text that holds JSON, or what a program printed of an object: `"password": "…"`, in either quotes, escaped or not. */
const MEMBER =
  /(?<=["'._-])(?:authorization|cookie|password|passwd|secret|token|api[-_.]?key)(\\{0,7})(["'])\s{0,8}:\s{0,8}(?:\[\s{0,8})?\1\2/gi

const BACKSLASH = 0x5c
const DOUBLE_QUOTE = 0x22
const SINGLE_QUOTE = 0x27
const KEY_SHOWN_MAX_BYTES = 64
const ESCAPES_MAX = 7

/**
 * Where in this text the values of members are whose key names a secret: pairs of first and behind last. A value that
 * was cut off reaches to the end of the text. Numbers and objects stay: only texts are secrets by name.
 */
export function secretMemberRanges(text: string): [number, number][] {
  const ranges: [number, number][] = []
  MEMBER.lastIndex = 0
  for (let match = MEMBER.exec(text); match !== null; match = MEMBER.exec(text)) {
    const from = MEMBER.lastIndex
    const to = valueEnd(text, from, match[1]!.length, match[2]!)
    if (to > from) ranges.push([from, to])
    MEMBER.lastIndex = to
  }
  return ranges
}

/** The quote that closes a text has as many backslashes before it as the one that opened it; each level of JSON doubles them. */
function valueEnd(text: string, from: number, escapes: number, quote: string): number {
  const period = 2 * (escapes + 1)
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    let first = at
    while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--
    if ((at - first) % period === escapes) return at - escapes
  }
  return text.length
}

/** Whether a quote at this place, or at the next, closes a key that names a secret and a colon follows. */
export function closesSecretName(bytes: Uint8Array, at: number): boolean {
  const quoteAt = isQuote(bytes[at]!) ? at : at + 1
  const quote = bytes[quoteAt]!
  if (!isQuote(quote)) return false
  let colonAt = quoteAt + 1
  while (bytes[colonAt]! <= 0x20 && colonAt - quoteAt < 8) colonAt++
  if (bytes[colonAt] !== 0x3a) return false
  let end = quoteAt
  while (end > 0 && bytes[end - 1] === BACKSLASH && quoteAt - end < ESCAPES_MAX) end--
  const floor = Math.max(0, end - KEY_SHOWN_MAX_BYTES)
  let start = end
  while (start > floor && bytes[start - 1] !== quote) start--
  return isSecretKey(bytes, start, end)
}

function isQuote(byte: number): boolean {
  return byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE
}
