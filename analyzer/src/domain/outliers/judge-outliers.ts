import { gammaCdf } from '../statistics/gamma.ts'
import {
  addSteps,
  type MutableSteps,
  runsAbove,
  type Steps,
  stepOfShare,
  stepOfValue,
  stepsOfFactor,
  type ValueSteps,
  valueOfStep,
} from './value-steps.ts'

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
 * Judges an operation's times in their order. A time that was slower or dearer than what is usual is no history of later ones. Where there
 * is a day of history or less, a group of runs that stands far from all others is out of the usual too.
 */
export interface OutlierJudge {
  /** The next time, for good. */
  take(time: RunsOfTime): void
  /** All spells, had these times been taken too. */
  peek(times: readonly RunsOfTime[]): Spell[]
}

/** The times in which an operation's runs were out of the usual, in order of time. */
export function judgeOutliers(times: readonly RunsOfTime[], rule: OutlierRule, hoursOfDay: number): Spell[] {
  return createOutlierJudge(rule, hoursOfDay).peek(times)
}

export function createOutlierJudge(rule: OutlierRule, hoursOfDay: number): OutlierJudge {
  const all = createHistory()
  /** By hour of day: what ran then and an hour around it; with what was out of the usual and passed. */
  const sameHours = Array.from({ length: hoursOfDay > 1 ? hoursOfDay : 0 }, createHistory)
  const known = prepare(rule)
  const unknown = prepare({ ...rule, factor: rule.factor * UNKNOWN_FACTOR })
  let spells: Spell[] = []
  let streak: RunsOfTime[] = []
  let first: number | null = null
  let undo: (() => void)[] | null = null

  function remember(time: RunsOfTime, isUsual: boolean): void {
    const hour = time.bucket % hoursOfDay
    const near = hoursOfDay > 1 ? [hour - 1, hour, hour + 1].map((at) => (at + hoursOfDay) % hoursOfDay) : []
    for (const at of near) sameHours[at]!.add(time, Math.round((time.bucket - at) / hoursOfDay))
    if (isUsual) all.add(time, time.bucket)
    undo?.push(() => {
      for (const at of near) sameHours[at]!.removeLast(Math.round((time.bucket - at) / hoursOfDay))
      if (isUsual) all.removeLast(time.bucket)
    })
  }

  /** What ran at this hour of other days, where enough of them are known; else all. */
  function historyOf({ bucket }: RunsOfTime): History {
    const hour = bucket % hoursOfDay
    const same = sameHours[hour]
    const isEnough = same && same.days(Math.round((bucket - hour) / hoursOfDay)) >= SAME_HOUR_DAYS_MIN
    return isEnough && same.whole.total >= HISTORY_RUNS_MIN ? same : all
  }

  function take(time: RunsOfTime): void {
    first ??= time.bucket
    const isKnown = time.bucket - first >= (hoursOfDay > 1 ? KNOWN_HOURS : 2)
    const spell = judgeTime(time, historyOf(time), isKnown ? known : unknown)
    if (spell) {
      spells = [...spells, spell]
      streak = [...streak, time]
      return
    }
    remember(time, true)
    if (streak.length <= PASSING_HOURS_MAX) for (const passed of streak) if (hoursOfDay > 1) remember(passed, false)
    streak = []
    const alone = isKnown || hoursOfDay === 1 ? null : judgeAlone(time, rule)
    if (alone) spells = [...spells, alone]
  }

  return {
    take,
    peek(times) {
      const before = { spells, streak, first }
      undo = []
      for (const time of times) take(time)
      const seen = spells
      for (const back of undo.reverse()) back()
      undo = null
      ;({ spells, streak, first } = before)
      return seen
    },
  }
}

/** Times that what is usual is learnt from, with their sum. */
interface History {
  times: RunsOfTime[]
  whole: MutableSteps
  add(time: RunsOfTime, day: number): void
  removeLast(day: number): void
  /** Different days among them, but for this one. */
  days(except: number): number
}

function createHistory(): History {
  const times: RunsOfTime[] = []
  const whole: MutableSteps = { total: 0, above: [] }
  const countOf = new Map<number, number>()
  const count = (day: number, by: number) => {
    const now = (countOf.get(day) ?? 0) + by
    if (now === 0) countOf.delete(day)
    else countOf.set(day, now)
  }
  return {
    times,
    whole,
    add(time, day) {
      times.push(time)
      addSteps(whole, time.steps, 1)
      count(day, 1)
    },
    removeLast(day) {
      addSteps(whole, times.pop()!.steps, -1)
      count(day, -1)
    },
    days: (except) => countOf.size - (countOf.has(except) ? 1 : 0),
  }
}

interface PreparedRule extends OutlierRule {
  thresholds: { shareAbove: number; steps: number }[]
}

function prepare(rule: OutlierRule): PreparedRule {
  const thresholds = THRESHOLDS.map(([shareAbove, ofFactor]) => ({ shareAbove, steps: stepsOfFactor(rule.factor * ofFactor) }))
  return { ...rule, thresholds }
}

function judgeTime({ bucket, steps }: RunsOfTime, { times, whole }: History, rule: PreparedRule): Spell | null {
  if (steps.total < BEYOND_MIN || whole.total < HISTORY_RUNS_MIN) return null
  const least = leastStep(whole, rule)
  if (runsAbove(steps, least) < BEYOND_MIN) return null
  let found: (Spell & { chance: number }) | null = null
  for (const { shareAbove, steps: further } of rule.thresholds) {
    const step = Math.max(least, stepOfShare(whole, shareAbove) + further)
    const beyond = runsAbove(steps, step)
    if (beyond < BEYOND_MIN || beyond < SHARE_MIN * steps.total) continue
    // Mostly the share of all says enough, and each time need not be looked at.
    if (beyond < SHARE_FACTOR * shareBeyond(whole, step) * steps.total) continue
    const usualShare = largestShare(times, whole, step)
    if (beyond < SHARE_FACTOR * usualShare * steps.total) continue
    const chance = gammaCdf(beyond, usualShare * steps.total)
    if (chance > CHANCE_MAX || (found !== null && chance >= found.chance)) continue
    const told = { bucket, step, beyond, runs: steps.total, usualShare, usual: quantilesOf(whole), learntFrom: whole.total }
    found = { ...told, basis: 'history', chance }
  }
  if (found === null) return null
  const { chance: _chance, ...spell } = found
  return spell
}

/** So far beyond the middle a threshold lies at least. */
function leastStep(whole: Steps, { factor, excessMin }: OutlierRule): number {
  const middle = valueOfStep(stepOfShare(whole, 0.5))
  return stepOfValue(Math.max(middle * factor * 0.75, middle + excessMin))
}

/** Of a short history the share may well be larger than it looks. */
const UNSEEN_RUNS = 2

function shareBeyond(whole: Steps, step: number): number {
  return (runsAbove(whole, step) + UNSEEN_RUNS) / (whole.total + UNSEEN_RUNS)
}

/** The largest share that ever lay beyond the step. */
function largestShare(history: readonly RunsOfTime[], whole: Steps, step: number): number {
  const share = shareBeyond(whole, step)
  let largest = share
  for (const { steps } of history) {
    const own = (runsAbove(steps, step) + share * SHRINK_RUNS) / (steps.total + SHRINK_RUNS)
    if (own > largest) largest = own
  }
  return largest
}

export function quantilesOf(steps: Steps): Quantiles {
  const at = (shareAbove: number) => valueOfStep(stepOfShare(steps, shareAbove))
  return [at(0.5), at(0.1), at(0.01)]
}

/** Without the largest so many. */
function below({ total, above }: ValueSteps, largest: number): Steps {
  return { total: total - largest, above: above.map((count) => Math.max(0, count - largest)) }
}

/** Runs from which a distribution says by itself what is usual. */
const ALONE_RUNS_MIN = 100
/** Runs that stand apart: a few may be chance even far out, and more than this share are a second way of working, as a cache that misses. */
const APART_MIN = 8
const APART_SHARE_MAX = 0.06
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
      ...{ bucket, step, beyond: apart, runs: total, usualShare: 0, usual: quantilesOf(below(steps, apart)) },
      ...{ basis: 'distribution', learntFrom: total - apart },
    }
  }
  return null
}
