import { lnGamma } from './gamma.ts'
import type { Exposure } from './rate-ratio.ts'

/** What lies further out than these chances is left out of the sums, on either side. */
const BELOW = 1e-10
const ABOVE = 1.5 * 2 ** -53
/** A single chance of this share of the tail ends the sum. */
const NEGLIGIBLE = 1e-6

/**
 * The E-test of two Poisson rates (Krishnamoorthy and Thomson 2004), two-sided: more powerful than the conditional test. Its
 * cost is the product of both ranges, so it is for counts up to some thousands.
 */
export function poissonTest(first: Exposure, second: Exposure): number {
  const rate = (first.failures + second.failures) / (first.runs + second.runs)
  if (rate <= 0) return 1
  const variance = first.failures / first.runs ** 2 + second.failures / second.runs ** 2
  const seen = Math.abs((first.failures / first.runs - second.failures / second.runs) / Math.sqrt(variance))
  const a = chances(rate * first.runs)
  const b = chances(rate * second.runs)
  let p = 0
  for (let i = 0; i < a.chances.length; i++) {
    for (let j = 0; j < b.chances.length; j++) {
      if (Math.abs(statistic(a.from + i, first.runs, b.from + j, second.runs)) >= seen) p += a.chances[i]! * b.chances[j]!
    }
  }
  return Math.min(1, p)
}

/** Rounded as SciPy rounds it, which decides whether the seen pair itself counts as at least as extreme. */
function statistic(x: number, runsX: number, y: number, runsY: number): number {
  const rateX = x / runsX
  const rateY = y / runsY
  return (rateX - rateY) / Math.sqrt(rateX / runsX + rateY / runsY)
}

/** The Poisson chances of one count after another, without both tails. */
function chances(mean: number): { from: number; chances: number[] } {
  const all: number[] = []
  for (let x = 0; x <= mean || all[x - 1]! > ABOVE * NEGLIGIBLE; x++)
    all.push(Math.exp(x * Math.log(mean) - mean - lnGamma(x + 1)))
  let from = 0
  for (let below = all[0]!; below < BELOW; below += all[from]!) from++
  let to = all.length - 1
  for (let above = all[to]!; above <= ABOVE && to > from; above += all[to]!) to--
  return { from, chances: all.slice(from, to + 1) }
}
