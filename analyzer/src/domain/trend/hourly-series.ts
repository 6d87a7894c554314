import type { Exposure } from '../statistics/rate-ratio.ts'

/** Failures of a pain and runs of its operations by hour of the event. Hours are UTC's, counted since the epoch. */
export interface HourlySeries {
  fromHour: number
  /** One for each hour from `fromHour` on; the last is the hour that has begun. */
  failures: readonly number[]
  runs: readonly number[]
}

export const HOUR_MS = 3_600_000

/** What happened from one place of the series to another, the end not included; places outside of it hold nothing. */
export type CountBetween = (from: number, to: number) => Exposure

export function createCountBetween({ failures, runs }: HourlySeries): CountBetween {
  const sums = { failures: runningSum(failures), runs: runningSum(runs) }
  const between = (sum: Float64Array, from: number, to: number) => sum[within(to, sum)]! - sum[within(from, sum)]!
  return (from, to) => ({ failures: between(sums.failures, from, to), runs: between(sums.runs, from, to) })
}

function runningSum(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1)
  values.forEach((value, at) => {
    sums[at + 1] = sums[at]! + value
  })
  return sums
}

function within(at: number, { length }: Float64Array): number {
  return Math.min(Math.max(at, 0), length - 1)
}

/**
 * By how many standard deviations the second rate lies above the first: the signed root of the likelihood ratio of two Poisson rates.
 * Both sides need runs.
 */
export function deviateOf(before: Exposure, after: Exposure): number {
  const total = before.failures + after.failures
  if (total <= 0) return 0
  const share = after.runs / (before.runs + after.runs)
  const likelihood = term(after.failures, total * share) + term(before.failures, total * (1 - share))
  return Math.sign(after.failures - total * share) * Math.sqrt(Math.max(0, 2 * likelihood))
}

function term(seen: number, expected: number): number {
  return seen > 0 ? seen * Math.log(seen / expected) : 0
}
