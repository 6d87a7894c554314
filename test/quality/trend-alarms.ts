import type { HourlySeries } from '../../analyzer/src/domain/trend/hourly-series.ts'
import { HISTORY_HOURS, seasonalTrend } from '../../analyzer/src/domain/trend/seasonal-trend.ts'
import { type SyntheticPlan, syntheticWeeks } from '../../analyzer/src/domain/trend/synthetic-weeks.fixture.ts'
import type { Measure } from './measure.ts'

/** Weeks of a pain that hurts as it always did. */
export interface TrendScene {
  name: string
  plan: SyntheticPlan['plan']
  wobble: number
}

const hourOfDay = (hourOfWeek: number) => hourOfWeek % 24
const isOffice = (hour: number) => hour < 120 && hourOfDay(hour) >= 8 && hourOfDay(hour) < 18

export const SCENES: readonly TrendScene[] = [
  { name: 'steady', plan: () => ({ runs: 200, rate: 0.02 }), wobble: 0 },
  { name: 'rare', plan: () => ({ runs: 50, rate: 0.004 }), wobble: 0 },
  {
    name: 'rare, by day',
    plan: (_, hour) => (isOffice(hour) ? { runs: 100, rate: 0.006 } : { runs: 10, rate: 0.002 }),
    wobble: 0,
  },
  { name: 'wandering', plan: () => ({ runs: 200, rate: 0.02 }), wobble: 0.6 },
  {
    name: 'nightly batch',
    plan: (_, hour) => (hourOfDay(hour) === 2 ? { runs: 300, rate: 0.4 } : { runs: 100, rate: 0.01 }),
    wobble: 0.3,
  },
  {
    name: 'weekly job',
    plan: (_, hour) => (hour >= 6 && hour < 9 ? { runs: 400, rate: 0.5 } : { runs: 50, rate: 0.01 }),
    wobble: 0.3,
  },
  {
    name: 'office hours',
    plan: (_, hour) => (isOffice(hour) ? { runs: 900, rate: 0.05 } : { runs: 60, rate: 0.01 }),
    wobble: 0.3,
  },
]

export interface TrendAlarms {
  name: string
  /** Times a week that it began to be called rising although nothing changed; and, for comparison, by the two halves of a day. */
  seasonal: number
  halves: number
  /** Share of fourfold rises of twelve hours that were called rising at their end. */
  caught: number
}

const RECENT_HOURS = 12
const HOURS_OF_WEEK = 168

/** Every hour of a week somebody looks; how often an alarm begins. */
export function simulateTrends({ weeks, seed }: { weeks: number; seed: number }): TrendAlarms[] {
  return SCENES.map(({ name, plan, wobble }) => {
    let [seasonal, halves, caught] = [0, 0, 0]
    for (let week = 0; week < weeks; week++) {
      const drawn = { hours: HISTORY_HOURS + HOURS_OF_WEEK, seed: seed * 1_000_003 + week, wobble }
      const series = syntheticWeeks({ ...drawn, plan })
      seasonal += beginnings(series, (seen) => seasonalTrend(seen, RECENT_HOURS)?.trend === 'rising')
      halves += beginnings(series, isRisingByHalves)
      const end = HISTORY_HOURS + ((week * 37) % HOURS_OF_WEEK)
      const worse: SyntheticPlan['plan'] = (at, hour) => {
        const { runs, rate } = plan(at, hour)
        return { runs, rate: at >= end - RECENT_HOURS && at < end ? Math.min(1, rate * 4) : rate }
      }
      if (seasonalTrend(upTo(syntheticWeeks({ ...drawn, plan: worse }), end), RECENT_HOURS)?.trend === 'rising') caught++
    }
    return { name, seasonal: seasonal / weeks, halves: halves / weeks, caught: caught / weeks }
  })
}

function upTo({ fromHour, runs, failures }: HourlySeries, end: number): HourlySeries {
  return { fromHour, runs: runs.slice(0, end), failures: failures.slice(0, end) }
}

function beginnings(series: HourlySeries, isRising: (seen: HourlySeries) => boolean): number {
  let [was, count] = [false, 0]
  for (let end = HISTORY_HOURS; end <= HISTORY_HOURS + HOURS_OF_WEEK; end++) {
    const is = isRising(upTo(series, end))
    if (is && !was) count++
    was = is
  }
  return count
}

/** The simple rule: twice the failures a run of the twelve hours before. */
function isRisingByHalves({ runs, failures }: HourlySeries): boolean {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const rate = (from: number, to?: number) => sum(failures.slice(from, to)) / Math.max(1, sum(runs.slice(from, to)))
  return sum(failures.slice(-RECENT_HOURS)) >= 5 && rate(-RECENT_HOURS) > 2 * rate(-2 * RECENT_HOURS, -RECENT_HOURS)
}

/** At most one false alarm in ten weeks and pain. */
const ALARMS_MAX = 0.1

export function measureTrends(alarms: readonly TrendAlarms[], { weeks, seed }: { weeks: number; seed: number }): Measure {
  const worst = Math.max(...alarms.map(({ seasonal }) => seasonal))
  const told = alarms.map(
    ({ name, seasonal, halves, caught }) => `${name} ${seasonal.toFixed(3)} (${halves.toFixed(2)}), ${caught.toFixed(2)}`,
  )
  return {
    name: 'trends',
    published: '“twice the twelve hours before”: see note',
    figures: [
      { name: 'false alarms a week and pain, worst scene', value: worst, target: { atMost: ALARMS_MAX } },
      {
        name: 'fourfold rises caught, worst scene',
        value: Math.min(...alarms.map(({ caught }) => caught)),
        target: { atLeast: 0.5 },
        floor: 0.4,
      },
    ],
    note: `${weeks} simulated weeks a scene, looked at every hour, seed ${seed}; false alarms a week (those of the simple rule), rises caught: ${told.join('; ')}`,
  }
}
