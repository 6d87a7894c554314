import type { SqliteDatabase } from '../open.ts'

/** The newest commit that telemetry.db holds, or ever held: retention leaves a row behind that remembers it. */
export interface LastCommit {
  commit: number
  receivedMs: number
}

/** Name of the row in `meta` that names this database among others; written once, by the collector. */
export const STORE_ID = 'store_id'

/**
 * From the ends of two indexes, one project at a time: a walk of the table would read a page for each segment. Of one project
 * and kind the segment that begins last ends last, since only neighbours are joined.
 */
export function readLastCommit(db: SqliteDatabase): LastCommit {
  const next = db.prepare('select min(project_no) from segment where project_no > ?').pluck()
  const commitOf = db
    .prepare('select last_commit from segment where project_no = ? and kind = ? order by first_commit desc limit 1')
    .pluck()
  const receivedOf = db.prepare('select max(received_max_ms) from segment where project_no = ?').pluck()
  const last = { commit: 0, receivedMs: 0 }
  for (let no = next.get(-1) as number | null; no !== null; no = next.get(no) as number | null) {
    for (const kind of ['span', 'log']) last.commit = Math.max(last.commit, (commitOf.get(no, kind) as number | undefined) ?? 0)
    last.receivedMs = Math.max(last.receivedMs, receivedOf.get(no) as number)
  }
  return last
}

/** null in a file that was made before stores had names. */
export function readStoreId(db: SqliteDatabase): string | null {
  return (db.prepare('select value from meta where name = ?').pluck().get(STORE_ID) as string | undefined) ?? null
}
