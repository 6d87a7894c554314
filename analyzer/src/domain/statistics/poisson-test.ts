import { lnPoissonChance } from './deviance.ts'
import type { Exposure } from './rate-ratio.ts'

/** What lies further out than these chances is left out of the sums, on either side. */
const BELOW = 1e-10
const ABOVE = 1.5 * 2 ** -53
/** A single chance of this share of the tail ends the sum. */
const NEGLIGIBLE = 1e-6
/** Deviations, and counts beside them, within which all chances lie that are not left out. */
const REACH_DEVIATIONS = 12
const REACH_COUNTS = 60

/**
 * The E-test of two Poisson rates (Krishnamoorthy and Thomson 2004), two-sided: more powerful than the conditional test. For each count
 * of the first what is at least as extreme lies beyond two counts of the second, so its cost is the root of the counts.
 */
export function poissonTest(first: Exposure, second: Exposure): number {
  const rate = (first.failures + second.failures) / (first.runs + second.runs)
  if (!(rate > 0) || first.runs <= 0 || second.runs <= 0) return 1
  const variance = first.failures / first.runs ** 2 + second.failures / second.runs ** 2
  const seen = Math.abs((first.failures / first.runs - second.failures / second.runs) / Math.sqrt(variance))
  const a = chances(rate * first.runs)
  const b = chances(rate * second.runs)
  const below = runningSums(b.chances)
  const above = runningSums(b.chances.toReversed()).reverse()
  let p = 0
  for (let i = 0; i < a.chances.length; i++) {
    const at = (j: number) => statistic(a.from + i, first.runs, b.from + j, second.runs)
    const few = firstWhere((j) => !(at(j) >= seen), b.chances.length)
    const many = firstWhere((j) => at(j) <= -seen, b.chances.length)
    p += a.chances[i]! * (few < many ? below[few]! + above[many]! : above[0]!)
  }
  return Math.min(1, p)
}

function runningSums(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1)
  values.forEach((value, i) => {
    sums[i + 1] = sums[i]! + value
  })
  return sums
}

/** The first of so many places from which on the condition holds. */
function firstWhere(isTrue: (at: number) => boolean, places: number): number {
  let low = 0
  let high = places
  while (low < high) {
    const middle = (low + high) >> 1
    if (isTrue(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Rounded as SciPy rounds it, which decides whether the seen pair itself counts as at least as extreme. */
function statistic(x: number, runsX: number, y: number, runsY: number): number {
  const rateX = x / runsX
  const rateY = y / runsY
  return (rateX - rateY) / Math.sqrt(rateX / runsX + rateY / runsY)
}

/** The Poisson chances of one count after another, without both tails. */
function chances(mean: number): { from: number; chances: number[] } {
  const start = Math.max(0, Math.floor(mean - REACH_DEVIATIONS * Math.sqrt(mean) - REACH_COUNTS))
  const all: number[] = []
  for (let x = start; x <= mean || all.at(-1)! > ABOVE * NEGLIGIBLE; x++) all.push(Math.exp(lnPoissonChance(x, mean)))
  let first = 0
  for (let below = all[0]!; below < BELOW; below += all[first]!) first++
  let last = all.length - 1
  for (let above = all[last]!; above <= ABOVE && last > first; above += all[last]!) last--
  return { from: start + first, chances: all.slice(first, last + 1) }
}
