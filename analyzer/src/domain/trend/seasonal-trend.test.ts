import { describe, expect, test } from '@jest/globals'
import type { HourlySeries } from './hourly-series.ts'
import { seasonalTrend } from './seasonal-trend.ts'
import { type HourPlan, type SyntheticPlan, syntheticWeeks } from './synthetic-weeks.fixture.ts'

const WEEKS = 5 * 168
const RECENT = 12
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]

type Plan = SyntheticPlan['plan']
const steady: Plan = () => ({ runs: 200, rate: 0.02 })
const hourOfDay = (hourOfWeek: number) => hourOfWeek % 24
const nightly: Plan = (_, hour) => (hourOfDay(hour) === 2 ? { runs: 300, rate: 0.4 } : { runs: 100, rate: 0.01 })
const weekly: Plan = (_, hour) => (hour >= 6 && hour < 9 ? { runs: 400, rate: 0.5 } : { runs: 50, rate: 0.01 })
const mondays: Plan = (_, hour) => (hour < 24 ? { runs: 1500, rate: 0.08 } : { runs: 200, rate: 0.02 })

/** The end of the series is so many hours after a Monday's midnight. */
const endingAt = (hourOfWeek: number, plan: Plan) => ({ hours: WEEKS + hourOfWeek, plan })
const step = (plan: Plan, hours: number, since: number, factor: number): Plan => {
  return (at, hour) => {
    const { runs, rate } = plan(at, hour)
    return { runs, rate: at >= hours - since ? Math.min(1, rate * factor) : rate }
  }
}

interface Case {
  name: string
  hours: number
  plan: Plan
  trend: string | null
  season?: string
  recent?: number
}

const weekEnd = WEEKS + 100
const gap =
  (plan: Plan, from: number, to: number): Plan =>
  (at, hour) =>
    at >= from && at < to ? { runs: 0, rate: 0 } : plan(at, hour)
const cases: Case[] = [
  { name: 'a nightly batch, seen at night', ...endingAt(3, nightly), trend: 'steady' },
  { name: 'a nightly batch, seen in the morning', ...endingAt(24 + 9, nightly), trend: 'steady' },
  { name: 'a nightly batch, seen in the hour of its runs', ...endingAt(24 + 3, nightly), recent: 1, trend: 'steady' },
  {
    name: 'a nightly batch that runs an hour later since the clocks changed',
    ...endingAt(24 + 9, (at, hour) => nightly(at, at > WEEKS - 30 ? hour - 1 : hour)),
    trend: 'steady',
  },
  { name: 'a job that runs once a week', ...endingAt(9, weekly), trend: 'steady' },
  { name: 'a Monday peak', ...endingAt(18, mondays), trend: 'steady' },
  { name: 'a Monday peak that was just worse than ever', ...endingAt(18, step(mondays, WEEKS + 18, 12, 2)), trend: 'rising' },
  { name: 'a real step', hours: weekEnd, plan: step(steady, weekEnd, 8, 4), trend: 'rising' },
  {
    name: 'a step that is over',
    hours: weekEnd,
    plan: (at) => ({ runs: 200, rate: at >= weekEnd - 40 && at < weekEnd - 30 ? 0.2 : 0.02 }),
    trend: 'steady',
  },
  { name: 'a step more than a week ago', hours: weekEnd, plan: step(steady, weekEnd, 190, 4), trend: 'steady' },
  { name: 'a slow ramp', hours: weekEnd, plan: (at) => ({ runs: 300, rate: 0.01 * 1.6 ** (at / 168) }), trend: 'rising' },
  { name: 'a fix', hours: weekEnd, plan: step(() => ({ runs: 400, rate: 0.05 }), weekEnd, 10, 0.1), trend: 'falling' },
  {
    name: 'more traffic at the same rate',
    hours: weekEnd,
    plan: (at) => ({ runs: at > weekEnd - 10 ? 2000 : 200, rate: 0.02 }),
    trend: 'steady',
  },
  { name: 'a gap in traffic just before', hours: weekEnd, plan: gap(steady, weekEnd - 30, weekEnd - 4), trend: 'steady' },
  {
    name: 'a step after a gap in traffic',
    hours: weekEnd,
    plan: gap(step(steady, weekEnd, 8, 5), weekEnd - 60, weekEnd - 8),
    trend: 'rising',
  },
  { name: 'two of four earlier weeks without traffic', hours: weekEnd, plan: gap(steady, 200, 540), trend: 'steady' },
  {
    name: 'five days of history',
    hours: 120,
    plan: (_, hour) => (hourOfDay(hour) === 2 ? { runs: 300, rate: 0.4 } : { runs: 100, rate: 0.01 }),
    trend: 'steady',
    season: 'same_hours_of_earlier_days',
  },
  {
    name: 'five days and a step',
    hours: 120,
    plan: step(steady, 120, 8, 4),
    trend: 'rising',
    season: 'same_hours_of_earlier_days',
  },
  { name: 'two days of history', hours: 48, plan: steady, trend: null },
]

describe('the trend', () => {
  test.each(cases)('of $name', ({ hours, plan, trend, season, recent = RECENT }) => {
    for (const seed of SEEDS) {
      const said = seasonalTrend(syntheticWeeks({ hours, seed, plan }), recent)
      expect([seed, said?.trend ?? null]).toEqual([seed, trend])
      if (said !== null) expect(said.season).toBe(season ?? 'same_hours_of_earlier_weeks')
    }
  })

  test('of the hours that have begun at midnight UTC is the same wherever the clock of a machine is set', () => {
    const series = syntheticWeeks({ hours: WEEKS + 9, seed: 3, plan: weekly })
    const shifted: HourlySeries = { ...series, fromHour: series.fromHour - 24 * 365 }
    expect(seasonalTrend(shifted, RECENT)).toEqual(seasonalTrend(series, RECENT))
  })

  test('stays rising on evidence that would not have made it so', () => {
    const constant = (rate: (at: number) => number): HourPlan[] =>
      Array.from({ length: weekEnd }, (_, at) => ({ runs: 400, rate: rate(at) }))
    const seriesOf = (hours: HourPlan[]): HourlySeries => ({
      fromHour: 0,
      runs: hours.map(({ runs }) => runs),
      failures: hours.map(({ runs, rate }) => Math.round(runs * rate)),
    })
    const mild = (at: number) => (at >= weekEnd - 12 ? 0.0255 : 0.02)
    const strongBefore = (at: number) => (at >= weekEnd - 22 && at < weekEnd - 12 ? 0.06 : mild(at))
    expect(seasonalTrend(seriesOf(constant(mild)), RECENT)?.trend).toBe('steady')
    expect(seasonalTrend(seriesOf(constant(strongBefore)), RECENT)?.trend).toBe('rising')
  })
})
