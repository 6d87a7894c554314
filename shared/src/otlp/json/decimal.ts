/** A 64-bit integer as two unsigned words, which is how it is read and written without making a bigint. */
export interface Words {
  low: number
  high: number
}

const UINT64_MAX_DIGITS = 20
const WORD = 0x1_0000_0000

/**
 * Reads 1 to 20 decimal digits into `words`, exact to the last. False where anything else stands there, a sign or a
 * blank, and for what does not fit 64 bits.
 */
export function parseUint64(bytes: Uint8Array, start: number, end: number, words: Words): boolean {
  const length = end - start
  if (length < 1 || length > UINT64_MAX_DIGITS) return false
  let upper = 0
  let lower = 0
  const split = length - 9
  for (let i = 0; i < length; i++) {
    const digit = bytes[start + i]! - 0x30
    if (!(digit >= 0 && digit <= 9)) return false
    if (i < split) upper = upper * 10 + digit
    else lower = lower * 10 + digit
  }
  if (split <= 0) {
    words.low = lower
    words.high = 0
    return true
  }
  // upper * 10^9 + lower in steps below 2^53; a remainder by subtraction, since % of doubles is a slow call.
  const upperHigh = Math.floor(upper / 0x10000)
  const product = upperHigh * 1e9
  const productHigh = Math.floor(product / 0x10000)
  const rest = (product - productHigh * 0x10000) * 0x10000 + (upper - upperHigh * 0x10000) * 1e9 + lower
  const carry = Math.floor(rest / WORD)
  words.low = rest - carry * WORD
  words.high = productHigh + carry
  return words.high < WORD
}

/** As `parseUint64`, with a sign, into two's complement. */
export function parseInt64(bytes: Uint8Array, start: number, end: number, words: Words): boolean {
  const negative = bytes[start] === 0x2d
  if (!parseUint64(bytes, negative ? start + 1 : start, end, words)) return false
  if (!negative) return words.high < WORD / 2
  if (words.high > WORD / 2 || (words.high === WORD / 2 && words.low > 0)) return false
  words.high = words.low === 0 ? (WORD - words.high) % WORD : WORD - 1 - words.high
  words.low = words.low === 0 ? 0 : WORD - words.low
  return true
}

/**
 * The value of a JSON number with fraction or exponent, where it is an integer of 64 bits without sign (`1.5e3`, `2.0`);
 * null where it is not.
 */
export function exactUint64(text: string): bigint | null {
  const parts = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (parts === null) return null
  const digits = `${parts[1]}${parts[2] ?? ''}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return 0n
  const zeros = Number(parts[3] ?? 0) - (parts[2]?.length ?? 0) + digits.length - significant.length
  if (zeros < 0 || significant.length + zeros > UINT64_MAX_DIGITS) return null
  const value = BigInt(significant + '0'.repeat(zeros))
  return value < 2n ** 64n ? value : null
}
