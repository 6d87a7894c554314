import { normalUpperQuantile } from './normal.ts'
import { rankTogether } from './rank-tests.ts'

/** By how much the first sample lies above the second. */
export interface LocationShift {
  estimate: number
  low: number
  high: number
}

/** Halvings of the range of all shifts: to double precision. */
const HALVINGS = 100

/**
 * Hodges and Lehmann's estimate of the shift between two samples with its interval: the shifts that Mann and Whitney's test does
 * not refuse, by the normal approximation with correction for ties and continuity, as R's wilcox.test gives them. Both samples hold
 * at least one value, none is NaN.
 */
export function locationShift(first: readonly number[], second: readonly number[], confidence: number): LocationShift {
  const quantile = normalUpperQuantile((1 - confidence) / 2)
  const root = (z: number) => findShift(first, second, z)
  return { estimate: root(0), low: root(quantile), high: root(-quantile) }
}

/** The shift at which the statistic falls through z; it never rises with the shift. */
function findShift(first: readonly number[], second: readonly number[], z: number): number {
  let low = least(first) - most(second)
  let high = most(first) - least(second)
  if (deviationAt(first, second, low, z !== 0) <= z) return low
  if (deviationAt(first, second, high, z !== 0) >= z) return high
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    if (deviationAt(first, second, middle, z !== 0) > z) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Standard deviations by which the ranks of the first sample, moved down by `shift`, exceed what equal samples have. */
function deviationAt(first: readonly number[], second: readonly number[], shift: number, isCorrected: boolean): number {
  const [n, m] = [first.length, second.length]
  const moved = first.map((value) => value - shift)
  const { ranks, tieTerm } = rankTogether(moved, second)
  let rankSum = 0
  for (let i = 0; i < n; i++) rankSum += ranks[i]!
  const excess = rankSum - (n * (n + 1)) / 2 - (n * m) / 2
  const variance = ((n * m) / 12) * (n + m + 1 - tieTerm / ((n + m) * (n + m - 1)))
  return variance > 0 ? (excess - (isCorrected ? Math.sign(excess) * 0.5 : 0)) / Math.sqrt(variance) : 0
}

const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b))
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b))
