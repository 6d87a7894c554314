import { normalSurvival } from './normal.ts'

export interface MannWhitneyTest {
  /** Pairs in which the first sample's value is the larger one, ties as half. */
  u: number
  /** Two-sided, by the normal approximation with correction for ties and continuity. */
  p: number
}

/** Mann and Whitney's test that neither of two samples tends to be larger. Both hold at least one value, none is NaN. */
export function mannWhitneyTest(first: readonly number[], second: readonly number[]): MannWhitneyTest {
  const { ranks, tieTerm } = rankTogether(first, second)
  const n = first.length
  const m = second.length
  let rankSum = 0
  for (let i = 0; i < n; i++) rankSum += ranks[i]!
  const u = rankSum - (n * (n + 1)) / 2
  const size = n + m
  const variance = ((n * m) / 12) * (size + 1 - tieTerm / (size * (size - 1)))
  const larger = Math.max(u, n * m - u)
  const z = (larger - (n * m) / 2 - 0.5) / Math.sqrt(variance)
  return { u, p: variance > 0 ? Math.min(1, 2 * normalSurvival(z)) : 1 }
}

/** Kolmogorov and Smirnov's statistic: the largest distance between the two samples' distributions. */
export function largestDistance(first: readonly number[], second: readonly number[]): number {
  const a = Float64Array.from(first).sort()
  const b = Float64Array.from(second).sort()
  let i = 0
  let j = 0
  let largest = 0
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i]!, b[j]!)
    while (i < a.length && a[i]! <= at) i++
    while (j < b.length && b[j]! <= at) j++
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length))
  }
  return largest
}

/** Ranks from 1, equal values sharing their mean rank; the tie term is the sum of t³ - t over groups of equals. */
export function rankTogether(first: readonly number[], second: readonly number[]): { ranks: Float64Array; tieTerm: number } {
  const values = Float64Array.from([...first, ...second])
  const order = Uint32Array.from(values.keys()).sort((x, y) => values[x]! - values[y]!)
  const ranks = new Float64Array(values.length)
  let tieTerm = 0
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + 1 + to) / 2
    tieTerm += (to - from) ** 3 - (to - from)
    from = to
  }
  return { ranks, tieTerm }
}
