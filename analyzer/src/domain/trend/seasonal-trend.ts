import { normalSurvival, normalUpperQuantile } from '../statistics/normal.ts'
import type { Exposure } from '../statistics/rate-ratio.ts'
import { type CountBetween, createCountBetween, deviateOf, type HourlySeries } from './hourly-series.ts'

/** What a trend is told against: the same hours of earlier weeks or days. */
export type Season = 'same_hours_of_earlier_weeks' | 'same_hours_of_earlier_days'

export interface SeasonalTrend {
  trend: Trend
  season: Season
}

type Trend = 'rising' | 'steady' | 'falling'

interface Cycle {
  season: Season
  hours: number
  /** Earlier ones that are looked at, and how many of them must have had traffic at these hours. */
  earlier: number
  earlierMin: number
}

const CYCLES: readonly Cycle[] = [
  { season: 'same_hours_of_earlier_weeks', hours: 168, earlier: 4, earlierMin: 2 },
  { season: 'same_hours_of_earlier_days', hours: 24, earlier: 7, earlierMin: 3 },
]
/** Hours of history that the longest of them asks for: the recent ones, the steps, four weeks. */
export const HISTORY_HOURS = 5 * 168

/** An earlier period with less than this share of the recent runs had no such traffic: a gap, not a calm. */
const TRAFFIC_MIN_SHARE = 0.1
/** Fewest failures that a rise is read from, and that must have been expected for their absence to be a fall. */
const FAILURES_MIN = 5
const EXPECTED_MIN = 10
/** Failures that tell a usual rate well enough. */
const ENOUGH_FAILURES = 30
/** A season of this size is told by a stretch of ten failures as well as by one of more. */
const SEASON_SHOWN = 0.1
/**
 * Standard deviations that it takes to call a trend rising or falling, and those that keep it so: without the distance it would come
 * and go with every hour.
 */
const ENTER_DEVIATES = 3.5
/** Looks a week at which that holds. A pain that fails less often than it is looked at gives chance fewer occasions: one a failure. */
const LOOKS_A_WEEK = 168
const STAY_DEVIATES = 1
/** The same against the latest period alone: what has been as high for a whole period is the new usual. */
const ENTER_LATEST = 2
const STAY_LATEST = 1
/** Hours before now from which the state is followed. */
const STEPS = 24
/** Share of the cells that differ most, left out of the wandering: an incident of a week ago must not hide the next one. */
const LEFT_OUT_SHARE = 0.02
/** Clocks of jobs move by an hour with summer time, those of this series do not. */
const SHIFTS = [0, -1, 1]
const WEEK_HOURS = 168

/**
 * Whether a pain's rate over its last hours is above or below what is usual at these hours, so that neither a nightly batch nor a Monday
 * peak is news; null without enough history. Followed hour by hour with more evidence to enter than to stay, from the counts alone:
 * the same counts give the same trend, whoever asked before.
 */
export function seasonalTrend(series: HourlySeries, recentHours: number): SeasonalTrend | null {
  const count = createCountBetween(series)
  const end = series.runs.length
  for (const cycle of CYCLES) {
    if (recentHours > cycle.hours) continue
    const of = { cycle, recentHours }
    const looked: Looking = { ...of, count, wandering: createWandering(count, end, of), season: createSeason(count, end, of) }
    let state: Trend | null = null
    for (let at = end - STEPS; at <= end; at++) {
      const seen = lookAt(looked, at, state ?? 'steady')
      if (seen !== null) state = nextState(state ?? 'steady', seen)
    }
    if (state !== null) return { trend: state, season: cycle.season }
  }
  return null
}

/** Of the rate of an hour, which evens out over many, and of a whole stretch, where hours wander together. */
interface Wandering {
  ofHour: number
  ofStretch: number
}

function createWandering(count: CountBetween, end: number, { cycle, recentHours }: Pick<Looking, 'cycle' | 'recentHours'>) {
  let known: Wandering | null = null
  const of = (length: number) => wanderingOf(count, end, { cycle, length })
  return () => {
    known ??= { ofHour: of(1), ofStretch: of(Math.min(recentHours, 24)) }
    return known
  }
}

/** Most pains of a young project have no earlier periods that it would be asked for. */
function createSeason(count: CountBetween, end: number, of: Pick<Looking, 'cycle' | 'recentHours'>) {
  let known: number | null = null
  return () => {
    known ??= seasonOf(count, end, of)
    return known
  }
}

interface Looking {
  count: CountBetween
  cycle: Cycle
  recentHours: number
  /** Worked out when it is asked for: most pains are as usual at first sight. */
  wandering(): Wandering
  /** By how much the rate differs between the hours of a period, as the square of its coefficient of variation, at most. */
  season(): number
}

/** Standard deviations above (below: negative) what is usual, and above the latest period. */
interface Seen {
  usual: number
  latest: number
  /** Those that it takes to call it more than steady. */
  enter: number
  isEnough: boolean
}

/** null where nothing ran, or where too few earlier periods had such traffic. */
function lookAt(looked: Looking, at: number, state: Trend): Seen | null {
  const { count, cycle, recentHours } = looked
  const recent = count(at - recentHours, at)
  if (recent.runs <= 0) return null
  const period = (nth: number, shift: number) => {
    const to = at - nth * cycle.hours + shift
    return count(to - recentHours, to)
  }
  const usable = Array.from({ length: cycle.earlier }, (_, i) => i + 1).filter(
    (nth) => period(nth, 0).runs >= TRAFFIC_MIN_SHARE * recent.runs,
  )
  if (usable.length < cycle.earlierMin) return null
  const whole = (nth: number) => count(at - (nth + 1) * cycle.hours, at - nth * cycle.hours)
  const wholes = sum(usable.map(whole))
  const usual = SHIFTS.map((shift) => informed(sum(usable.map((nth) => period(nth, shift))), wholes, looked.season()))
  const latest = SHIFTS.map((shift) => informed(period(usable[0]!, shift), whole(usable[0]!), looked.season()))
  const plain = leastDeviate(usual, recent, 0)
  const enter = enterDeviates((wholes.failures / usable.length) * (WEEK_HOURS / cycle.hours))
  // What chance alone explains needs no other explanation.
  const share = Math.abs(plain) <= (state === 'steady' ? enter : STAY_DEVIATES) ? 0 : wanderingOfRecent(looked, at, usable)
  return {
    usual: leastDeviate(usual, recent, share),
    latest: leastDeviate(latest, recent, share),
    enter,
    isEnough: plain > 0 ? recent.failures >= FAILURES_MIN : rateOf(usual[0]!) * recent.runs >= EXPECTED_MIN,
  }
}

/**
 * What the same hours of earlier periods show, and what their other hours add to it: of a pain whose rate is much the same at all hours, and
 * which fails too rarely for any of them to tell, all hours tell. As a Gamma prior, of no more failures than there were, nor than it takes.
 */
function informed(same: Exposure, whole: Exposure, season: number): Exposure {
  const failures = Math.min(1 / season, whole.failures, ENOUGH_FAILURES - same.failures)
  if (failures <= 0) return same
  return { failures: same.failures + failures, runs: same.runs + failures / rateOf(whole) }
}

/** With so many failures a week. */
function enterDeviates(failures: number): number {
  const looks = Math.min(LOOKS_A_WEEK, Math.max(1, failures))
  return looks === LOOKS_A_WEEK ? ENTER_DEVIATES : normalUpperQuantile((normalSurvival(ENTER_DEVIATES) * LOOKS_A_WEEK) / looks)
}

/**
 * Of stretches as long as the recent hours. What chance may have hidden of it is added, so that hours are taken to be alike only where that
 * is seen.
 */
function seasonOf(count: CountBetween, end: number, { cycle, recentHours }: Pick<Looking, 'cycle' | 'recentHours'>): number {
  const stretches = Math.max(1, Math.floor(cycle.hours / recentHours))
  const cells = Array.from({ length: stretches }, (_, back) =>
    sum(
      Array.from({ length: cycle.earlier }, (_, nth) => {
        const to = end - (nth + 1) * cycle.hours - back * recentHours
        return count(to - recentHours, to)
      }),
    ),
  )
  const level = rateOf(sum(cells))
  const seen = cells.map(({ runs, failures }) => ({ failures, mean: runs * level })).filter(({ mean }) => mean > 0)
  // Those that show more count for more, but not the more so for being busy.
  const weights = seen.map(({ mean }) => (mean / (1 + mean * SEASON_SHOWN)) ** 2)
  const all = total(weights)
  if (all <= 0) return Number.POSITIVE_INFINITY
  const beyond = total(seen.map(({ failures, mean }, at) => (weights[at]! * ((failures - mean) ** 2 - mean)) / mean ** 2))
  const hidden = total(seen.map(({ mean }, at) => 2 * (weights[at]! / mean) ** 2))
  return (Math.max(0, beyond) + Math.sqrt(hidden)) / all
}

/** How much the recent hours' rate wanders as a whole: the more of them carry the failures, the more it evens out. */
function wanderingOfRecent({ count, cycle, recentHours, wandering }: Looking, at: number, usable: readonly number[]): number {
  const expected = Array.from({ length: recentHours }, (_, back) => {
    const hour = at - back - 1
    const usual = sum(usable.map((nth) => count(hour - nth * cycle.hours, hour - nth * cycle.hours + 1)))
    return rateOf(usual) * count(hour, hour + 1).runs
  })
  const evened = total(expected.map((failures) => failures ** 2)) / Math.max(total(expected) ** 2, Number.MIN_VALUE)
  const { ofHour, ofStretch } = wandering()
  return Math.max(ofStretch, ofHour * evened)
}

/** The one nearest to nothing: 0 where some say more and some less. */
function leastDeviate(earlier: readonly Exposure[], recent: Exposure, wandering: number): number {
  const [first, ...shifted] = earlier as [Exposure, ...Exposure[]]
  const sides = [first, ...shifted.filter(({ runs }) => runs >= TRAFFIC_MIN_SHARE * first.runs)]
  const deviates = sides.map((side) => wanderingDeviate(side, recent, wandering))
  const [low, high] = [Math.min(...deviates), Math.max(...deviates)]
  return low > 0 ? low : Math.min(high, 0)
}

/** Of a rate that wanders: by counts, whose chance is skewed, and by ratios, whose wandering is; the smaller is said. */
function wanderingDeviate(before: Exposure, recent: Exposure, wandering: number): number {
  const byCount = deviateOf(before, recent) / Math.sqrt(1 + wandering * rateOf(before) * recent.runs)
  if (wandering === 0 || before.failures <= 0 || recent.failures <= 0) return byCount
  const variance = 1 / recent.failures + 1 / before.failures + wandering * (1 + recent.runs / before.runs)
  const byRatio = Math.log(rateOf(recent) / rateOf(before)) / Math.sqrt(variance)
  return Math.abs(byRatio) < Math.abs(byCount) ? byRatio : byCount
}

function nextState(state: Trend, { usual, latest, enter, isEnough }: Seen): Trend {
  if (!isEnough) return 'steady'
  const sign = usual < 0 ? -1 : 1
  const trend = sign > 0 ? 'rising' : 'falling'
  const [enough, enoughLatest] = state === trend ? [STAY_DEVIATES, STAY_LATEST] : [enter, ENTER_LATEST]
  return sign * usual > enough && sign * latest > enoughLatest ? trend : 'steady'
}

/**
 * By how much more than chance the rate of stretches of so many hours wanders from period to period, as the square of its coefficient of
 * variation: a rate that wanders makes large counts differ more than small ones. Whole periods may lie higher or lower than others, as on a
 * ramp. The period that runs is left out, since its news is what is asked for.
 */
function wanderingOf(count: CountBetween, end: number, { cycle, length }: { cycle: Cycle; length: number }): number {
  const stretches = Array.from({ length: Math.floor(cycle.hours / length) }, (_, back) => back * length)
  const periods = Array.from({ length: cycle.earlier }, (_, i) => end - (i + 1) * cycle.hours)
  const cells = periods.map((to) => stretches.map((back) => count(to - back - length, to - back)))
  const rates = stretches.map((_, at) => rateOf(sum(cells.map((of) => of[at]!))))
  const excess = cells.flatMap((of) => {
    const expected = of.map(({ runs }, at) => runs * rates[at]!)
    const level = total(of.map(({ failures }) => failures)) / total(expected)
    return of.flatMap(({ failures }, at) => {
      const mean = level * expected[at]!
      return mean > 0 ? { square: mean * mean, beyond: (failures - mean) ** 2 - mean } : []
    })
  })
  excess.sort((a, b) => a.beyond / a.square - b.beyond / b.square)
  const kept = excess.slice(0, Math.ceil(excess.length * (1 - LEFT_OUT_SHARE)))
  return kept.length === 0 ? 0 : Math.max(0, total(kept.map(({ beyond }) => beyond)) / total(kept.map(({ square }) => square)))
}

function rateOf({ failures, runs }: Exposure): number {
  return runs > 0 ? failures / runs : 0
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function sum(parts: readonly Exposure[]): Exposure {
  return { failures: total(parts.map(({ failures }) => failures)), runs: total(parts.map(({ runs }) => runs)) }
}
