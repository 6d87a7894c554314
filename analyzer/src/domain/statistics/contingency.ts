import { excessEntropy, lnBinomialChance } from './deviance.ts'
import { chiSquaredSurvival } from './normal.ts'

/** Two groups of records, each split in two: [hits, misses] by [hits, misses]. Whole numbers. */
export type TwoByTwo = readonly [readonly [number, number], readonly [number, number]]

/** Tables as likely as the one seen count as more extreme too, but for rounding. */
const LN_SLACK = Math.log1p(1e-7)

export interface FisherTest {
  /** Chance of a table at most as likely as this one, of as many hits or more in the first group, of as many or fewer. */
  twoSided: number
  greater: number
  less: number
}

/** What adds less than this to a sum ends it. */
const NEGLIGIBLE = 1e-17

/**
 * Fisher's exact test: the hypergeometric distribution of the first cell, all margins held. Only what counts is summed, so that large
 * tables cost the root of their size.
 */
export function fisherTest(table: TwoByTwo): FisherTest {
  const [[a, b], [c, d]] = table
  const cell = distributionOf(a + b, c + d, a + c)
  const least = cell.lnChance(a) + LN_SLACK
  const left = lastWhere((x) => cell.lnChance(x) <= least, cell.from, cell.mode)
  const right = -lastWhere((x) => cell.lnChance(-x) <= least, -cell.to, -cell.mode)
  const isAll = cell.lnChance(cell.mode) <= least
  return {
    twoSided: isAll ? 1 : Math.min(1, cell.sumDown(left) + cell.sumUp(right)),
    greater: a > cell.mode ? cell.sumUp(a) : Math.max(0, 1 - cell.sumDown(a - 1)),
    less: a < cell.mode ? cell.sumDown(a) : Math.max(0, 1 - cell.sumUp(a + 1)),
  }
}

/** Of `first` and `rest` records `hits` are hit: how many of the first. */
function distributionOf(first: number, rest: number, hits: number) {
  const total = first + rest
  const from = Math.max(0, hits - rest)
  const to = Math.min(hits, first)
  const mode = Math.min(to, Math.max(from, Math.floor(((hits + 1) * (first + 1)) / (total + 2))))
  const [p, q] = total > 0 ? [hits / total, (total - hits) / total] : [0, 1]
  const lnWhole = lnBinomialChance(hits, total, p, q)
  const lnChance = (x: number) => lnBinomialChance(x, first, p, q) + lnBinomialChance(hits - x, rest, p, q) - lnWhole
  /** Chances from x on, away from the mode; each is the one before by this. */
  const sum = (start: number, end: number, step: 1 | -1) => {
    if (start < from || start > to) return 0
    let share = 1
    let shares = 1
    for (let x = start; x !== end && share > shares * NEGLIGIBLE; x += step) {
      const up = step > 0 ? x : x - 1
      const ratio = ((first - up) * (hits - up)) / ((up + 1) * (rest - hits + up + 1))
      share *= step > 0 ? ratio : 1 / ratio
      shares += share
    }
    return Math.min(1, Math.exp(lnChance(start)) * shares)
  }
  return { from, to, mode, lnChance, sumUp: (x: number) => sum(x, to, 1), sumDown: (x: number) => sum(x, from, -1) }
}

/** The largest whole number of the range for which the condition holds; it holds up to some number and not beyond. `from - 1` if none. */
function lastWhere(isTrue: (x: number) => boolean, from: number, to: number): number {
  let low = from - 1
  let high = to + 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (isTrue(middle)) low = middle
    else high = middle
  }
  return low
}

/** The likelihood-ratio test of independence (Sokal and Rohlf's G) without correction; one degree of freedom. */
export function gTest([[a, b], [c, d]]: TwoByTwo): { g: number; p: number } {
  const total = a + b + c + d
  const excess = total > 0 ? (a * d - b * c) / total : 0
  const part = (row: number, column: number, over: number) => {
    const expected = (row * column) / total
    return expected > 0 ? expected * excessEntropy(Math.max(-1, over / expected)) : 0
  }
  const parts =
    part(a + b, a + c, excess) + part(a + b, b + d, -excess) + part(c + d, a + c, -excess) + part(c + d, b + d, excess)
  const g = Math.max(0, 2 * parts)
  return { g, p: chiSquaredSurvival(g, 1) }
}
