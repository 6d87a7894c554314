import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { HOUR_MS, type HourlySeries } from '../../domain/trend/hourly-series.ts'
import { noveltyOf } from '../../domain/trend/novelty.ts'
import { HISTORY_HOURS, seasonalTrend } from '../../domain/trend/seasonal-trend.ts'
import { type CountsByHour, type HourWindow, readHourlyFailures, readHourlyRuns } from '../counts/hourly-counts.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'

/** Pains whose weeks are read, the heaviest; of others the window alone says how they go. */
const SERIES_PAINS_MAX = 64
/** Of the first failures that were decided, as order of decision is nearly order of event. */
const FIRST_FAILURES = 20
const HOUR_MINUTES = 60
const WEEK_HOURS = 168

/** The heaviest pains with their weeks, and with what these say of season and novelty; the others as they came. */
export function withSeries(
  db: SqliteDatabase,
  question: PainQuestion,
  { pains, middleMinute }: { pains: readonly RankedPain[]; middleMinute: number },
): RankedPain[] {
  const toHour = endHourOf(question)
  const window: HourWindow = { fromHour: toHour - HISTORY_HOURS, toHour }
  const asked = pains.slice(0, SERIES_PAINS_MAX)
  const failures = readHourlyFailures(db, question.projectNo, window, distinct(asked.flatMap((pain) => pain.fingerprintNos)))
  const runs = readHourlyRuns(db, question.projectNo, window, distinct(asked.flatMap((pain) => pain.operationNos)))
  const recentHours = Math.min(WEEK_HOURS, Math.max(1, toHour - Math.floor(middleMinute / HOUR_MINUTES)))
  const firstOf = prepareFirst(db)
  return pains.map((pain, at) => {
    if (at >= SERIES_PAINS_MAX) return pain
    const known = { ...pain, firstSeenMs: Math.min(pain.firstSeenMs, pain.firstEventMs, firstOf(pain)) }
    const series = seriesOf(pain, { window, failures, runs })
    if (series === null) return known
    const isOlder = known.firstSeenMs < series.fromHour * HOUR_MS
    return { ...known, series, season: seasonalTrend(series, recentHours), novelty: noveltyOf({ series, isOlder }) }
  })
}

/** The end of the window, or of the event times that are asked for. */
function endHourOf({ window, events }: PainQuestion): number {
  const windowHour = Math.ceil(window.toMinute / HOUR_MINUTES)
  return events === null ? windowHour : Math.min(windowHour, Math.ceil(events.toMs / HOUR_MS))
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)]
}

interface Read {
  window: HourWindow
  failures: CountsByHour
  runs: CountsByHour
}

/** Up to the last hour in which anything ran; null where nothing is known to have run, or where a split took a part away. */
function seriesOf(pain: RankedPain, { window, failures, runs }: Read): HourlySeries | null {
  if (pain.moved.length + pain.left.length > 0) return null
  const ran = addUp(pain.operationNos, runs, window)
  const length = ran.findLastIndex((count) => count > 0) + 1
  if (length === 0) return null
  const failed = addUp(pain.fingerprintNos, failures, window)
  for (const { eventMs } of pain.open) {
    const at = Math.floor(eventMs / HOUR_MS) - window.fromHour
    if (at >= 0 && at < failed.length) failed[at]! += 1
  }
  // What a correction has yet to put elsewhere may stand as less than nothing.
  return {
    fromHour: window.fromHour,
    runs: ran.slice(0, length),
    failures: failed.slice(0, length).map((count) => Math.max(0, count)),
  }
}

function addUp(numbers: readonly number[], counts: CountsByHour, { fromHour, toHour }: HourWindow): number[] {
  const sum = new Array<number>(toHour - fromHour).fill(0)
  for (const number of numbers) {
    counts.get(number)?.forEach((count, at) => {
      sum[at]! += count
    })
  }
  return sum
}

/** When the first of its failures happened that is still kept. */
function prepareFirst(db: SqliteDatabase): (pain: RankedPain) => number {
  const find = db
    .prepare(
      `select min(event_ms) from (select event_ms from decided_failure where fingerprint_no = ? order by failure_no limit ${FIRST_FAILURES})`,
    )
    .pluck()
  return ({ fingerprintNos, moved, left }) => {
    if (moved.length + left.length > 0) return Number.POSITIVE_INFINITY
    return Math.min(...fingerprintNos.map((no) => (find.get(no) as number | null) ?? Number.POSITIVE_INFINITY))
  }
}
