import { gammaCdf } from '../statistics/gamma.ts'
import { runsAbove, stepOfShare, stepOfValue, sumSteps, type ValueSteps, valueOfStep } from './value-steps.ts'

/** Runs of one operation that ended in one hour or one day. */
export interface RunsOfTime {
  /** Hours or days since the epoch. */
  bucket: number
  steps: ValueSteps
}

/** From where on runs are too slow or too dear. */
export interface OutlierRule {
  /** How many times the usual middle. */
  factor: number
  /** How far beyond the usual middle at least, in the measure's own unit. */
  excessMin: number
  /** How large at least where nothing but the distribution itself says what is usual. */
  aloneMin: number
}

/** A time in which more runs than usual lay beyond a threshold. */
export interface Spell {
  bucket: number
  /** Runs above this step count. */
  step: number
  beyond: number
  runs: number
  /** Share of runs beyond it that is usual, at most. */
  usualShare: number
  /** What is usual: half, nine in ten and 99 in 100 runs end below. */
  usual: Quantiles
  basis: 'history' | 'distribution'
  /** Runs that what is usual was learnt from. */
  learntFrom: number
}

export type Quantiles = readonly [p50: number, p90: number, p99: number]

/** Runs from which it is known what is usual. */
const HISTORY_RUNS_MIN = 100
/** Hours of history from which the hours of a day are known to differ; before it a rise must be so much larger. */
const KNOWN_HOURS = 24
const UNKNOWN_FACTOR = 1.5
/** Runs beyond the threshold, and their share, from which it is worth a look. */
const BEYOND_MIN = 5
const SHARE_MIN = 0.01
/** How many times as many runs as ever before must lie beyond it. */
const SHARE_FACTOR = 2.5
/** Chance that so many do although nothing changed. Asked often: every hour, at several thresholds. */
const CHANCE_MAX = 1e-6
/** Runs of the whole history that every time is taken together with, so that few runs say little. */
const SHRINK_RUNS = 200
/** Times of the same hour of other days, with one hour on both sides, that what is usual is learnt from once there are so many days. */
const SAME_HOUR_DAYS_MIN = 2

/** Times in a row that pass by; what lasts longer has come to stay, and is no habit. */
const PASSING_HOURS_MAX = 12

/** Each share of usual runs with what the threshold is a multiple of the value that they end below. */
const THRESHOLDS: readonly (readonly [shareAbove: number, ofFactor: number])[] = [
  [0.5, 1],
  [0.1, 0.75],
  [0.02, 0.6],
  [0.005, 0.5],
  [0.002, 0.5],
]

/**
 * The times in which an operation's runs were slower or dearer than its own history before, in order of time. A time that was so is no
 * history of later ones. Where there is a day of history or less, a group of runs that stands far from all others is one too.
 */
export function judgeOutliers(times: readonly RunsOfTime[], rule: OutlierRule, hoursOfDay: number): Spell[] {
  const spells: Spell[] = []
  const usual: RunsOfTime[] = []
  /** Times out of the usual that are over. */
  const passed: RunsOfTime[] = []
  let streak: RunsOfTime[] = []
  const first = times[0]?.bucket ?? 0
  for (const time of times) {
    const history = hoursOfDay > 1 ? sameHours(usual, passed, time.bucket, hoursOfDay) : usual
    const isKnown = time.bucket - first >= (hoursOfDay > 1 ? KNOWN_HOURS : 2)
    const spell = judgeTime(time, history, isKnown ? rule : { ...rule, factor: rule.factor * UNKNOWN_FACTOR })
    if (spell) {
      spells.push(spell)
      streak.push(time)
    } else {
      usual.push(time)
      if (streak.length <= PASSING_HOURS_MAX) passed.push(...streak)
      streak = []
    }
    const alone = spell || isKnown || hoursOfDay === 1 ? null : judgeAlone(time, rule)
    if (alone) spells.push(alone)
  }
  return spells
}

/**
 * What ran at this hour of other days, where enough of them are known; else all. What comes back at its hour every day, as a nightly
 * batch, is usual then; what goes on is not.
 */
function sameHours(
  usual: readonly RunsOfTime[],
  passed: readonly RunsOfTime[],
  bucket: number,
  hoursOfDay: number,
): readonly RunsOfTime[] {
  const isSame = (time: RunsOfTime) => {
    const apart = (bucket - time.bucket) % hoursOfDay
    return apart <= 1 || apart >= hoursOfDay - 1
  }
  const same = [...usual.filter(isSame), ...passed.filter(isSame)]
  const days = new Set(same.map((time) => Math.round((bucket - time.bucket) / hoursOfDay)))
  days.delete(0)
  const runs = same.reduce((sum, { steps }) => sum + steps.total, 0)
  return days.size >= SAME_HOUR_DAYS_MIN && runs >= HISTORY_RUNS_MIN ? same : usual
}

function judgeTime({ bucket, steps }: RunsOfTime, history: readonly RunsOfTime[], rule: OutlierRule): Spell | null {
  if (steps.total < BEYOND_MIN) return null
  const runs = history.reduce((sum, time) => sum + time.steps.total, 0)
  if (runs < HISTORY_RUNS_MIN) return null
  const whole = sumSteps(history.map((time) => time.steps))
  const least = leastStep(whole, rule)
  let found: (Spell & { chance: number }) | null = null
  for (const [shareAbove, ofFactor] of THRESHOLDS) {
    const step = Math.max(least, stepOfValue(valueOfStep(stepOfShare(whole, shareAbove)) * rule.factor * ofFactor))
    const beyond = runsAbove(steps, step)
    if (beyond < BEYOND_MIN || beyond < SHARE_MIN * steps.total) continue
    const usualShare = largestShare(history, whole, step)
    if (beyond < SHARE_FACTOR * usualShare * steps.total) continue
    const chance = gammaCdf(beyond, usualShare * steps.total)
    if (chance > CHANCE_MAX || (found !== null && chance >= found.chance)) continue
    const told = { bucket, step, beyond, runs: steps.total, usualShare, usual: quantilesOf(whole), learntFrom: runs }
    found = { ...told, basis: 'history', chance }
  }
  if (found === null) return null
  const { chance: _chance, ...spell } = found
  return spell
}

/** So far beyond the middle a threshold lies at least. */
function leastStep(whole: ValueSteps, { factor, excessMin }: OutlierRule): number {
  const middle = valueOfStep(stepOfShare(whole, 0.5))
  return stepOfValue(Math.max(middle * factor * 0.75, middle + excessMin))
}

/** The largest share that ever lay beyond the step. */
function largestShare(history: readonly RunsOfTime[], whole: ValueSteps, step: number): number {
  const share = (runsAbove(whole, step) + 0.5) / (whole.total + 1)
  let largest = share
  for (const { steps } of history) {
    const own = (runsAbove(steps, step) + share * SHRINK_RUNS) / (steps.total + SHRINK_RUNS)
    if (own > largest) largest = own
  }
  return largest
}

export function quantilesOf(steps: ValueSteps): Quantiles {
  const at = (shareAbove: number) => valueOfStep(stepOfShare(steps, shareAbove))
  return [at(0.5), at(0.1), at(0.01)]
}

/** Runs from which a distribution says by itself what is usual. */
const ALONE_RUNS_MIN = 100
/** Runs that stand apart: a few may be chance even far out, and more than this share are a second way of working, as a cache that misses. */
const APART_MIN = 8
const APART_SHARE_MAX = 0.05
/** How many times the middle they lie from, and how wide the gap is that nothing lies in: a heavy tail has no gap above many runs. */
const ALONE_FACTOR = 5
const GAP_STEPS = 5

function judgeAlone({ bucket, steps }: RunsOfTime, { factor, aloneMin }: OutlierRule): Spell | null {
  const { total, above } = steps
  if (total < ALONE_RUNS_MIN) return null
  const [middle] = quantilesOf(steps)
  const from = Math.max(GAP_STEPS, stepOfValue(Math.max(aloneMin, middle * factor * ALONE_FACTOR)))
  for (let step = from; step < above.length; step++) {
    const apart = above[step]!
    if (apart < APART_MIN) return null
    if (apart > APART_SHARE_MAX * total || above[step - GAP_STEPS] !== apart) continue
    return {
      ...{ bucket, step, beyond: apart, runs: total, usualShare: 0, usual: quantilesOf(steps) },
      ...{ basis: 'distribution', learntFrom: total },
    }
  }
  return null
}
