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
 * Runs after a change that would show a fall by half against the bound 1 - delta, from the traffic before it alone, so that the plan
 * is the same whenever it is made. At most four times the runs before.
 */
export function planRuns(before: Traffic, delta: number): number {
  const most = before.runs * RUNS_MAX_FACTOR
  const variance = varianceNeeded(delta) / perFailure(before)
  const ofAfter = variance - 1 / before.failures
  if (!(ofAfter > 0)) return most
  const rate = before.failures / before.runs
  return Math.min(most, Math.ceil(1 / (ofAfter * FALL * rate)))
}

/** Whether so much traffic on both sides would have shown a fall by half, more likely than not. */
export function couldShowFall(before: Traffic, afterRuns: number, delta: number): boolean {
  const rate = before.failures / before.runs
  const deviation = Math.sqrt(perFailure(before) * (1 / before.failures + 1 / (FALL * rate * afterRuns)))
  return Math.log((1 - delta) / FALL) / deviation >= normalUpperQuantile(SINGLE_LOOK_ALPHA / 2)
}

function varianceNeeded(delta: number): number {
  const distance = Math.log((1 - delta) / FALL)
  return (distance / (normalUpperQuantile(SINGLE_LOOK_ALPHA / 2) + normalUpperQuantile(1 - POWER))) ** 2
}

/** Variance that one counted failure brings, against an independent one. */
function perFailure(before: Traffic): number {
  const weight = meanWeight(before, NOTHING)
  return dispersionOf(before, NOTHING, weight) * weight
}
