import { createCountBetween, HOUR_MS, type HourlySeries } from './hourly-series.ts'
import type { SeasonalTrend } from './seasonal-trend.ts'

/** What is new about a pain: seen for the first time, or back after it was quiet; null where it is neither, or where nobody can tell. */
export interface Novelty {
  kind: 'first_seen' | 'reappeared'
  /** When it came (again), the hour's beginning. */
  sinceMs: number
  /** Runs without a failure before. */
  quietRuns: number
  /** Hours that these runs took. */
  quietHours: number
}

/** So many failures must have been missing for a silence to be one: chance alone brings it in 5 % of cases. */
const MISSING_MIN = 3
/** For one between failures more, as any of many gaps may be the one: .03 %. */
const MISSING_BETWEEN_MIN = 8
/** A silence shorter than this is a night. */
const QUIET_HOURS_MIN = 24
/** What came back longer ago is here. */
const BACK_WITHIN_HOURS = 168

export interface NoveltyQuestion {
  series: HourlySeries
  /** It is known to have failed before the series begins. */
  isOlder: boolean
  season: SeasonalTrend | null
}

/** What fails as usual at these hours is not back, however long ago it failed last: a job that runs once a week. */
export function noveltyOf({ series, isOlder, season }: NoveltyQuestion): Novelty | null {
  if (season !== null && season.trend !== 'rising') return null
  const count = createCountBetween(series)
  const end = series.runs.length
  const failing = series.failures.flatMap((failures, at) => (failures > 0 ? at : [])).reverse()
  for (const [i, at] of failing.entries()) {
    const before = failing[i + 1]
    const from = firstRunning(series, before === undefined ? 0 : before + 1)
    const [quiet, since] = [count(from, at), count(at, end)]
    const missing = since.runs > 0 ? (since.failures / since.runs) * quiet.runs : 0
    const what = { sinceMs: (series.fromHour + at) * HOUR_MS, quietRuns: quiet.runs, quietHours: at - from }
    if (before === undefined && !isOlder) return missing >= MISSING_MIN ? { kind: 'first_seen', ...what } : null
    if (end - at > BACK_WITHIN_HOURS) return null
    if (missing >= MISSING_BETWEEN_MIN && at - from >= QUIET_HOURS_MIN) return { kind: 'reappeared', ...what }
  }
  return null
}

function firstRunning({ runs }: HourlySeries, from: number): number {
  let at = from
  while (at < runs.length && runs[at]! <= 0) at++
  return at
}
