import { normalUpperQuantile } from '../statistics/normal.ts'
import { dispersionOf, meanWeight } from './sequential-interval.ts'
import type { Traffic } from './traffic.ts'

/** The fall that the plan wants to see: half as many failures a run. */
const FALL = 0.5
/** Chance with which it is to be seen, and the chance of a false alarm of a single look. */
const POWER = 0.8
const SINGLE_LOOK_ALPHA = 0.05
/** More runs after than so many times those before say little: what is known of before is then the limit. */
const RUNS_MAX_FACTOR = 4
const NOTHING: Traffic = { runs: 0, failures: 0, failuresSquared: 0, windows: [] }

/**
 * Runs after a change at which the bound of the looks is at its lowest: those that would show a fall by half, but no more than there
 * were before. A plan that waits for more makes every earlier look too strict, and nobody knows that they will come.
 */
export function planLastLook(before: Traffic, delta: number): number {
  return Math.min(before.runs, planRuns(before, delta))
}

/**
 * Runs after a change that would show a fall by half against the bound 1 - delta, from the traffic before it alone, so that the plan
 * is the same whenever it is made. At most four times the runs before.
 */
export function planRuns(before: Traffic, delta: number): number {
  return runsFor(before, NOTHING, delta)
}

/** As the plan, where what came after shows that failures clump more than was seen before. */
export function runsStillNeeded(before: Traffic, after: Traffic, delta: number): number {
  return Math.max(0, Math.ceil(Math.max(planRuns(before, delta), runsFor(before, after, delta)) - after.runs))
}

function runsFor(before: Traffic, after: Traffic, delta: number): number {
  const most = before.runs * RUNS_MAX_FACTOR
  const weight = meanWeight(before, after)
  // Variance that one counted failure brings, against an independent one.
  const perFailure = dispersionOf(before, after, weight) * weight
  const distance = Math.log((1 - delta) / FALL)
  const variance = (distance / (normalUpperQuantile(SINGLE_LOOK_ALPHA / 2) + normalUpperQuantile(1 - POWER))) ** 2
  const ofAfter = variance / perFailure - 1 / before.failures
  if (!(ofAfter > 0)) return most
  const rate = before.failures / before.runs
  return Math.min(most, Math.ceil(1 / (ofAfter * FALL * rate)))
}
