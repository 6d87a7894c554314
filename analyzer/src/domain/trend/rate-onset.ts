import { type CountBetween, createCountBetween, deviateOf, type HourlySeries } from './hourly-series.ts'

/**
 * Evidence that a change of the rate needs, in standard deviations: the best of some hundred places is looked for, and rates of real
 * traffic wander.
 */
const CHANGE_DEVIATES = 5
/** So far the latest stretch must still lie above what was before. */
const STILL_DEVIATES = 3
/** Changes that are looked for, from the largest down. */
const CHANGES_MAX = 8

/** A rise that lasted: the place in the series where it began, with the rates (failures a run) before and after it. */
export interface RateRise {
  at: number
  before: number
  after: number
}

/**
 * The last place at which the rate went up and has stayed above what it was. Binary segmentation by the likelihood of Poisson rates: unlike
 * `changePoints` it weighs each hour by its runs, so that a night without traffic is no calm.
 */
export function lastRise(series: HourlySeries): RateRise | null {
  const count = createCountBetween(series)
  const cuts = [0, ...cutsOf(count, series.runs.length), series.runs.length]
  const latest = count(cuts.at(-2)!, series.runs.length)
  for (let i = cuts.length - 2; i > 0; i--) {
    const at = cuts[i]!
    const [before, stretch] = [count(cuts[i - 1]!, at), count(at, cuts[i + 1]!)]
    const [low, high] = [before.failures / before.runs, stretch.failures / stretch.runs]
    if (high > low && deviateOf(before, latest) > STILL_DEVIATES) return { at, before: low, after: high }
  }
  return null
}

/** Places where a new stretch begins, in order. */
function cutsOf(count: CountBetween, length: number): number[] {
  const found: number[] = []
  const open: [number, number][] = [[0, length]]
  while (open.length > 0 && found.length < CHANGES_MAX) {
    const [from, to] = open.shift()!
    const best = bestCut(count, from, to)
    if (best === null) continue
    found.push(best)
    open.push([from, best], [best, to])
  }
  return found.sort((a, b) => a - b)
}

function bestCut(count: CountBetween, from: number, to: number): number | null {
  let best: number | null = null
  let most = CHANGE_DEVIATES
  for (let at = from + 1; at < to; at++) {
    const [before, after] = [count(from, at), count(at, to)]
    if (before.runs <= 0 || after.runs <= 0) continue
    const deviate = Math.abs(deviateOf(before, after))
    if (deviate <= most) continue
    best = at
    most = deviate
  }
  return best
}

/** Failures around a rise, by time, and how many runs there were a millisecond. */
export interface AroundRise {
  failuresMs: readonly number[]
  fromMs: number
  toMs: number
  runsPerMs: number
}

/** When within these hours the rise began: just at one of the failures, the one that makes all of them likeliest. */
export function riseWithin(
  { failuresMs, fromMs, toMs, runsPerMs }: AroundRise,
  { before, after }: Pick<RateRise, 'before' | 'after'>,
): number {
  const times = failuresMs.toSorted((a, b) => a - b)
  const gain = Math.log(after / Math.max(before, after / 1e6))
  let best = fromMs
  let most = Number.NEGATIVE_INFINITY
  times.forEach((timeMs, earlier) => {
    const likelihood = (times.length - earlier) * gain - (after - before) * runsPerMs * (toMs - timeMs)
    if (likelihood <= most) return
    most = likelihood
    best = timeMs
  })
  return best
}
