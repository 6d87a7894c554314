import { createCountBetween, HOUR_MS, type HourlySeries } from './hourly-series.ts'

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

const WEEK_HOURS = 168
const WEEKS = 4

export interface NoveltyQuestion {
  series: HourlySeries
  /** It is known to have failed before the series begins. */
  isOlder: boolean
}

/** What failed in the same hour of an earlier week is not back, however quiet it was between: a job that runs once a week. */
export function noveltyOf({ series, isOlder }: NoveltyQuestion): Novelty | null {
  const count = createCountBetween(series)
  const end = series.runs.length
  const failing = series.failures.flatMap((failures, at) => (failures > 0 ? at : [])).reverse()
  const isWeekly = (at: number) =>
    Array.from({ length: WEEKS }, (_, i) => at - (i + 1) * WEEK_HOURS).some(
      (before) => count(before - 1, before + 2).failures > 0,
    )
  for (const [i, at] of failing.entries()) {
    const before = failing[i + 1]
    const from = firstRunning(series, before === undefined ? 0 : before + 1)
    const [quiet, since] = [count(from, at), count(at, end)]
    const missing = since.runs > 0 ? (since.failures / since.runs) * quiet.runs : 0
    const what = { sinceMs: (series.fromHour + at) * HOUR_MS, quietRuns: quiet.runs, quietHours: at - from }
    if (before === undefined && !isOlder) return missing >= MISSING_MIN ? { kind: 'first_seen', ...what } : null
    if (end - at > BACK_WITHIN_HOURS) return null
    if (missing >= MISSING_BETWEEN_MIN && at - from >= QUIET_HOURS_MIN)
      return isWeekly(at) ? null : { kind: 'reappeared', ...what }
  }
  return null
}

function firstRunning({ runs }: HourlySeries, from: number): number {
  let at = from
  while (at < runs.length && runs[at]! <= 0) at++
  return at
}
