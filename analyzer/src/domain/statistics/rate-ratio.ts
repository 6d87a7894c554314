import { betaQuantile, proportionInterval } from './beta.ts'

/** Failures over runs; fractions are allowed where spans stand for more than one. */
export interface Exposure {
  failures: number
  runs: number
}

/** `value` and `high` are null where the rate before is zero and no bound exists. */
export interface RateRatio {
  value: number | null
  low: number
  high: number | null
}

/**
 * The ratio of two Poisson rates, after over before, with its exact conditional interval: given the total, the failures after
 * are binomial, so Clopper-Pearson bounds their share and thereby the ratio. Both sides need runs.
 */
export function rateRatio(before: Exposure, after: Exposure, alpha: number): RateRatio {
  const scale = before.runs / after.runs
  const total = before.failures + after.failures
  const share = total > 0 ? proportionInterval(after.failures, total, alpha) : { low: 0, high: 1 }
  return {
    value: before.failures > 0 ? (after.failures / before.failures) * scale : null,
    low: (share.low / (1 - share.low)) * scale,
    high: share.high < 1 ? (share.high / (1 - share.high)) * scale : null,
  }
}

/**
 * The fewest runs after a change for which not one failure would show that the rate fell below `factor` times the old one.
 * null where nothing failed before: no number of runs can show a fall.
 */
export function runsToShowFall(before: Exposure, factor: number, alpha: number): number | null {
  if (before.failures <= 0 || before.runs <= 0) return null
  const high = betaQuantile(1 - alpha / 2, 1, before.failures)
  return Math.ceil((high / (1 - high)) * (before.runs / factor))
}
