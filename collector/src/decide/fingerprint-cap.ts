import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { FINGERPRINT_SCHEME } from '@loopkit/shared/signals/fingerprint'
import { OVERFLOW_KEY } from '@loopkit/shared/signals/fingerprint-cap'
import { OVERFLOW } from '../write/index-spans.ts'

/** Keeps the distinct failures of a project below a number: those that come beyond it are counted together. */
export interface FingerprintCap {
  isFull(projectNo: number): boolean
  noteNew(projectNo: number): void
  /** Where failures beyond it count; told in the ledger, once for each. */
  overflowNo(projectNo: number, decidedMs: number): number
  /** After a rollback. Retention makes room, which is seen then and at the next start. */
  forget(): void
}

/** Decisions after which the rows are counted anew, since retention takes some. */
const COUNT_EVERY_ASKED = 10_000
const MINUTE_MS = 60_000

/** Projects whose failures are no longer all told apart. */
export function createCountCapped(db: SqliteDatabase): () => number {
  const count = db.prepare('select count(*) from accepted join fingerprint using (project_no) where fingerprint.fingerprint = ?')
  return () => count.pluck().get(OVERFLOW_KEY) as number
}

export function createFingerprintCap(db: SqliteDatabase, fingerprintsMax: number): FingerprintCap {
  const count = db.prepare('select count(*) from fingerprint where project_no = ?').pluck()
  const find = db.prepare('select fingerprint_no from fingerprint where project_no = ? and fingerprint = ?').pluck()
  const add = db
    .prepare(`
      insert into fingerprint (project_no, fingerprint, parent_key, scheme, signal, service, operation, operation_no,
                               error_type, template, sample_message, steps, first_seen_ms)
      values (?, ?, ?, ?, 'error_status', ?, ?, 0, null, ?, null, '[]', ?) returning fingerprint_no`)
    .pluck()
  const tell = db.prepare(`
    insert into ledger (project_no, minute, what, count) values (?, ?, 'not_told_apart:too_many_fingerprints', 1)
    on conflict do update set count = count + 1`)
  const counts = new Map<number, { rows: number; asked: number }>()

  function countOf(projectNo: number): { rows: number; asked: number } {
    const known = counts.get(projectNo)
    if (known && known.asked < COUNT_EVERY_ASKED) return known
    const counted = { rows: count.get(projectNo) as number, asked: 0 }
    counts.set(projectNo, counted)
    return counted
  }

  return {
    isFull(projectNo) {
      const counted = countOf(projectNo)
      counted.asked += 1
      return counted.rows >= fingerprintsMax
    },
    noteNew(projectNo) {
      countOf(projectNo).rows += 1
    },
    overflowNo(projectNo, decidedMs) {
      tell.run(projectNo, Math.floor(decidedMs / MINUTE_MS))
      const template = `one of more than ${fingerprintsMax} distinct failures`
      const known = find.get(projectNo, OVERFLOW_KEY) as number | undefined
      return (
        known ??
        (add.get(projectNo, OVERFLOW_KEY, OVERFLOW_KEY, FINGERPRINT_SCHEME, OVERFLOW, OVERFLOW, template, decidedMs) as number)
      )
    },
    forget: () => counts.clear(),
  }
}
