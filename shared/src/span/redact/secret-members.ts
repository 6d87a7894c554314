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
    if (to > from && !isModelToken(text, match.index, to)) ranges.push([from, to])
    MEMBER.lastIndex = to
  }
  return ranges
}

/** How far around a member its neighbours are looked for: a model's token has a dozen bytes and few alternatives. */
const NEIGHBOURS_MAX_CHARACTERS = 1024
const TOKEN_KEY = /["']token\\{0,7}["']/iy
const LOG_PROBABILITY_KEY = /["'](?:top_)?log_?prob(?:ability)?s?\\{0,7}["']/i

/**
 * Models answer with the probability of each piece of text, which they call a token: `{"token":"Hel","logprob":-0.1}`. It is
 * the answer, no secret. A member called `token` with a probability beside it in its own object is taken for one.
 */
function isModelToken(text: string, keyAt: number, to: number): boolean {
  TOKEN_KEY.lastIndex = keyAt - 1
  if (!TOKEN_KEY.test(text)) return false
  const before = text.slice(Math.max(0, keyAt - NEIGHBOURS_MAX_CHARACTERS), keyAt)
  const after = text.slice(to, to + NEIGHBOURS_MAX_CHARACTERS)
  return LOG_PROBABILITY_KEY.test(before.slice(lastBrace(before))) || LOG_PROBABILITY_KEY.test(after.slice(0, firstBrace(after)))
}

const firstBrace = (text: string): number => {
  const at = text.search(/[{}]/)
  return at < 0 ? text.length : at
}

const lastBrace = (text: string): number => Math.max(text.lastIndexOf('{'), text.lastIndexOf('}'), 0)

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
