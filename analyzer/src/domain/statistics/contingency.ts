import { lnGamma } from './gamma.ts'
import { chiSquaredSurvival } from './normal.ts'

/** Two groups of records, each split in two: [hits, misses] by [hits, misses]. Whole numbers. */
export type TwoByTwo = readonly [readonly [number, number], readonly [number, number]]

/** Tables as likely as the one seen count as more extreme too, but for rounding. */
const SLACK = 1 + 1e-7

export interface FisherTest {
  /** Chance of a table at most as likely as this one, of as many hits or more in the first group, of as many or fewer. */
  twoSided: number
  greater: number
  less: number
}

/** Fisher's exact test: the hypergeometric distribution of the first cell, all margins held. */
export function fisherTest([[a, b], [c, d]]: TwoByTwo): FisherTest {
  const hits = a + c
  const first = a + b
  const from = Math.max(0, hits - (c + d))
  const to = Math.min(hits, first)
  const rest = c + d
  const chance = (x: number) => Math.exp(lnChoose(first, x) + lnChoose(rest, hits - x) - lnChoose(first + rest, hits))
  const seen = chance(a)
  let twoSided = 0
  let greater = 0
  let less = 0
  for (let x = from; x <= to; x++) {
    const one = chance(x)
    if (one <= seen * SLACK) twoSided += one
    if (x >= a) greater += one
    if (x <= a) less += one
  }
  return { twoSided: Math.min(1, twoSided), greater: Math.min(1, greater), less: Math.min(1, less) }
}

/** The likelihood-ratio test of independence (Sokal and Rohlf's G) without correction; one degree of freedom. */
export function gTest([[a, b], [c, d]]: TwoByTwo): { g: number; p: number } {
  const total = a + b + c + d
  const part = (count: number, row: number, column: number) =>
    count > 0 ? count * Math.log((count * total) / (row * column)) : 0
  const g = Math.max(0, 2 * (part(a, a + b, a + c) + part(b, a + b, b + d) + part(c, c + d, a + c) + part(d, c + d, b + d)))
  return { g, p: chiSquaredSurvival(g, 1) }
}

function lnChoose(n: number, k: number): number {
  return lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1)
}
