import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { Range } from '@loopkit/shared/rollup/cover-window'

/**
 * Hours of decisions in which a failure was taken back and that are not made anew yet: what was added up of them still holds it, in their
 * rows and in those of their days.
 */
export interface StaleHours {
  /** Whether a row of so many minutes holds such an hour of this fingerprint. */
  isIn(minutes: number, bucket: number, fingerprintNo: number): boolean
  /** Those that lie in rows from the first to before the second, each hour with its fingerprints. */
  within(minutes: number, range: Range): ReadonlyMap<number, ReadonlySet<number>>
}

const HOUR_MINUTES = 60

export function readStaleHours(db: SqliteDatabase, projectNo: number): StaleHours {
  const rows = db.prepare('select hour, fingerprint_no from stale_rollup where project_no = ?').raw()
  const hours = new Map<number, Set<number>>()
  for (const [hour, fingerprintNo] of rows.iterate(projectNo) as Iterable<[number, number]>)
    hours.set(hour, (hours.get(hour) ?? new Set()).add(fingerprintNo))
  const bucketOf = (hour: number, minutes: number) => Math.floor((hour * HOUR_MINUTES) / minutes)
  return {
    isIn(minutes, bucket, fingerprintNo) {
      if (hours.size === 0) return false
      const perBucket = minutes / HOUR_MINUTES
      for (let hour = bucket * perBucket; hour < (bucket + 1) * perBucket; hour++)
        if (hours.get(hour)?.has(fingerprintNo)) return true
      return false
    },
    within: (minutes, [from, to]) =>
      new Map([...hours].filter(([hour]) => bucketOf(hour, minutes) >= from && bucketOf(hour, minutes) < to)),
  }
}
