import { normalSurvival, normalUpperQuantile } from '../statistics/normal.ts'
import { type Exposure, type RateRatio, rateRatio } from '../statistics/rate-ratio.ts'
import { studentUpperQuantile } from '../statistics/student.ts'
import type { Traffic } from './traffic.ts'

/** Windows that each side needs before it is looked at: with fewer nobody can tell a clump from a rate. */
export const WINDOWS_MIN = 4
/** No look needs more, however early: a release that fails ten times as often is told by its first runs. Chance brings it in none of 10^5. */
const EARLY_DEVIATES = 4.5
/** Failures of single runs that are independent vary less than a Poisson count does, but so little only where nearly all fail. */
const DISPERSION_MIN = 0.25

/** What a look at both sides says. */
export interface SequentialLook {
  ratio: RateRatio
  /** Variance of the counts over that of independent failures. */
  dispersion: number
  /** What is there over what was planned; more than 1 once there is more traffic. */
  information: number
}

/**
 * The interval of the rate ratio, after over before, that holds at every look at once, however often anybody asks: over all looks
 * up to the planned runs it leaves the true ratio out with a chance of `alpha` at most.
 *
 * Counts are divided by their dispersion (Pearson's, pooled over the windows of both sides), so that failures that come in clumps
 * count for as many independent ones; Student's t in place of the normal pays for the estimated dispersion; and the interval itself
 * is the exact conditional one (Clopper-Pearson), since counts may be small.
 */
export function lookAt(
  before: Traffic,
  after: Traffic,
  { plannedRuns, alpha }: { plannedRuns: number; alpha: number },
): SequentialLook {
  const weight = meanWeight(before, after)
  const dispersion = dispersionOf(before, after, weight)
  const share = (runs: number) => runs / (runs + before.runs)
  const information = share(after.runs) / share(plannedRuns)
  const bound = boundAt(information, alpha)
  const degrees = before.windows.length + after.windows.length - 2
  const level = 2 * normalSurvival(studentUpperQuantile(normalSurvival(bound), degrees))
  const scaled = ({ failures, runs }: Traffic): Exposure => ({
    failures: failures / weight / dispersion,
    runs: runs / weight / dispersion,
  })
  return { ratio: rateRatio(scaled(before), scaled(after), level), dispersion, information }
}

/**
 * The deviations that a look needs: O'Brien and Fleming's bound in its continuous form, c / √t, where a Brownian motion leaves ±c up
 * to time one with chance alpha. Who goes on looking beyond the plan meets a bound that grows with the logarithm of t, so that
 * looking for ever does not make every verdict come in the end.
 */
function boundAt(information: number, alpha: number): number {
  const last = normalUpperQuantile(alpha / 4)
  return information <= 1
    ? Math.min(EARLY_DEVIATES, last / Math.sqrt(information))
    : Math.sqrt(last ** 2 + 2 * Math.log(information))
}

/**
 * What one failure stands for on average (Kish). Sampled counts are divided by it, since they are worth fewer independent ones; both
 * sides by the same, or the side without failures would keep the weight of runs that it never had.
 */
export function meanWeight(before: Traffic, after: Traffic): number {
  const failures = before.failures + after.failures
  return failures > 0 ? (before.failuresSquared + after.failuresSquared) / failures : 1
}

/** Pearson's dispersion over Poisson's, never below what independent runs have at this rate. */
export function dispersionOf(before: Traffic, after: Traffic, weight: number): number {
  const runs = before.runs + after.runs
  const share = (before.failures + after.failures) / runs
  const windows = before.windows.length + after.windows.length
  const least = Math.max(DISPERSION_MIN, Math.min(1, 1 - share))
  if (windows <= 2) return 1
  return Math.max(least, (pearson(before, weight) + pearson(after, weight)) / (windows - 2))
}

function pearson({ windows, runs, failures }: Traffic, weight: number): number {
  if (failures === 0) return 0
  let sum = 0
  for (const window of windows) {
    const expected = (window.runs * failures) / runs
    // A failure without a run is a run that is counted in another minute.
    if (expected > 0) sum += (window.failures - expected) ** 2 / (expected * weight)
  }
  return sum
}
