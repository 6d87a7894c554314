import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { Onset } from '../../domain/pain-facts.ts'
import { createCountBetween, HOUR_MS, type HourlySeries } from '../../domain/trend/hourly-series.ts'
import { lastRise, type RateRise, riseWithin } from '../../domain/trend/rate-onset.ts'
import type { RankedPain } from './pain-question.ts'

/** Hours in which a change of the rate is looked for: a change that shipped is suspected for a week, and a week before it is needed. */
const LOOKED_HOURS = 336
/** Hours read around a change, before it and from it on. */
const HOURS_BEFORE = 1
const HOURS_FROM = 2
/** Failures that its minute is looked for among, the latest. */
const FAILURES_READ = 2_000
const MINUTE_MS = 60_000
/** Failures after a rise by whose distance its time is uncertain. */
const UNCERTAIN_FAILURES = 2

/**
 * When a pain began to be what it is: when its rate rose and stayed up, else when it came back, else its first failure. Hours say in which
 * hour, the failures themselves at which of them.
 */
export function readOnset(db: SqliteDatabase, pain: RankedPain): Onset {
  const { series, novelty, firstSeenMs, firstEventMs } = pain
  const first: Onset = { kind: 'first_failure', atMs: Math.min(firstSeenMs, firstEventMs), uncertainMs: 0 }
  if (series === null) return first
  const recent = latest(series)
  const rise = lastRise(recent)
  if (rise !== null && rise.before > 0) return { kind: 'rise', ...refine(db, pain, { series: recent, rise }) }
  if (novelty?.kind !== 'reappeared') return first
  const at = Math.round(novelty.sinceMs / HOUR_MS) - recent.fromHour
  if (at < 0) return first
  const since = createCountBetween(recent)(at, recent.runs.length)
  return { kind: 'return', ...refine(db, pain, { series: recent, rise: { at, before: 0, after: since.failures / since.runs } }) }
}

function latest({ fromHour, failures, runs }: HourlySeries): HourlySeries {
  const skipped = Math.max(0, runs.length - LOOKED_HOURS)
  return { fromHour: fromHour + skipped, failures: failures.slice(skipped), runs: runs.slice(skipped) }
}

function refine(
  db: SqliteDatabase,
  { fingerprintNos, open }: RankedPain,
  { series, rise }: { series: HourlySeries; rise: RateRise },
): Pick<Onset, 'atMs' | 'uncertainMs'> {
  const hourMs = (series.fromHour + rise.at) * HOUR_MS
  const [fromMs, toMs] = [hourMs - HOURS_BEFORE * HOUR_MS, hourMs + HOURS_FROM * HOUR_MS]
  const isInside = (eventMs: number) => eventMs >= fromMs && eventMs < toMs
  const failuresMs = [...readTimes(db, fingerprintNos), ...open.map(({ eventMs }) => eventMs)].filter(isInside)
  const { runs } = createCountBetween(series)(rise.at - HOURS_BEFORE, rise.at + HOURS_FROM)
  const runsPerMs = runs / (toMs - fromMs)
  if (failuresMs.length === 0 || runsPerMs <= 0) return { atMs: hourMs, uncertainMs: HOUR_MS }
  return {
    atMs: riseWithin({ failuresMs, fromMs, toMs, runsPerMs }, rise),
    uncertainMs: Math.min(HOUR_MS, Math.max(MINUTE_MS, UNCERTAIN_FAILURES / (rise.after * runsPerMs))),
  }
}

function readTimes(db: SqliteDatabase, fingerprintNos: readonly number[]): number[] {
  const find = db
    .prepare(`select event_ms from decided_failure where fingerprint_no = ? order by failure_no desc limit ${FAILURES_READ}`)
    .pluck()
  return fingerprintNos.flatMap((no) => find.all(no) as number[])
}
