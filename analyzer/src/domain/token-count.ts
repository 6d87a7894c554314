import { createRequire } from 'node:module'

type Tokenizer = typeof import('gpt-tokenizer/encoding/o200k_base')

/**
 * The tokenizer's table takes 80 MB in every thread that loads it, and most questions name no budget: it is loaded with the first
 * text that is counted. Node keeps what was required, so this costs one look-up a call.
 */
const require = createRequire(import.meta.url)
const countPiece: Tokenizer['countTokens'] = (text, options) =>
  (require('gpt-tokenizer/encoding/o200k_base') as Tokenizer).countTokens(text, options)

/** Text that looks like a special token is only text: telemetry may hold any. */
const PLAIN = { disallowedSpecial: new Set<string>() }
/**
 * Counting is quadratic in the length of one unbroken run (20,000 emoji took 2.5 s), so text is counted in pieces of at most
 * this many UTF-16 units. A piece border can only add a token (0.3 % on JSON), so a budget kept by this count is kept.
 */
const PIECE_CHARS = 1024
/** How far a border is moved to the next start of a JSON member, where cutting costs least. */
const BORDER_SEARCH_CHARS = 128

/** Number of o200k_base tokens of a text: exact up to one piece, else never less than exact but for borders inside odd runs. */
export function countTokens(text: string): number {
  let tokens = 0
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at)
    tokens += countPiece(text.slice(at, end), PLAIN)
    at = end
  }
  return tokens
}

/** Whether a text keeps a budget; stops counting as soon as it does not. */
export function isWithinTokens(text: string, budget: number): boolean {
  return createIsWithinTokens()(text, budget)
}

/** The same for versions of one text: pieces that they share are counted once. */
export function createIsWithinTokens(): (text: string, budget: number) => boolean {
  const known = new Map<string, number>()
  return (text, budget) => {
    let left = budget
    for (let at = 0; at < text.length; ) {
      const end = pieceEnd(text, at)
      const piece = text.slice(at, end)
      const tokens = known.get(piece) ?? countPiece(piece, PLAIN)
      known.set(piece, tokens)
      left -= tokens
      if (left < 0) return false
      at = end
    }
    return true
  }
}

function pieceEnd(text: string, from: number): number {
  const end = from + PIECE_CHARS
  if (end >= text.length) return text.length
  const border = text.indexOf(',"', end)
  if (border !== -1 && border - end < BORDER_SEARCH_CHARS) return border
  const splitsPair = (text.charCodeAt(end) & 0xfc00) === 0xdc00
  return splitsPair ? end + 1 : end
}
