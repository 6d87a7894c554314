/** Thresholds count in 56 bits: 14 hex digits, trailing zeros left out. */
const THRESHOLD_DIGITS = 14
const ALL = 2 ** 56

/**
 * How many spans this one stands for, from tracestate's `ot=th:` (W3C consistent probability sampling):
 * 2^56 / (2^56 − threshold). 1 where there is no threshold or it cannot be read: never a guess.
 */
export function sampleWeight(traceState: string): number {
  if (!traceState.includes('th:')) return 1
  const member = traceState.split(',').find((part) => part.trimStart().startsWith('ot='))
  if (member === undefined) return 1
  const field = member
    .trim()
    .slice('ot='.length)
    .split(';')
    .find((part) => part.startsWith('th:'))
  const digits = field?.slice('th:'.length) ?? ''
  if (!/^[0-9a-f]{1,14}$/.test(digits)) return 1
  const kept = 2n ** 56n - BigInt(`0x${digits.padEnd(THRESHOLD_DIGITS, '0')}`)
  return ALL / Number(kept)
}
