import { type CommitMark, createMarkWriter, layMarkAtStart } from '../guard/commit-mark.ts'
import { type GuardedDatabase, guardDatabase } from '../guard/guard-database.ts'
import type { StoredCommits } from '../guard/judge-loss.ts'
import type { SqliteDatabase } from '../open.ts'

/**
 * control.db counts its changes by the audit's rows, which each change writes in its own transaction. A row's hash covers all
 * rows before it, so it names the history too.
 */
const HASH_DIGITS = 16

/** Called by the analyzer before it opens the file. See guardDatabase. */
export function guardControl(path: string, nowMs: number): GuardedDatabase {
  return guardDatabase({
    ...{ path, database: 'control.db', readStored: readStoredControl, nowMs },
    ...{ others: ['collector', 'analyzer'], doReadersNotice: false },
  })
}

/** `store` is of the row that the mark names, so that another history is told from this one. */
export function readStoredControl(db: SqliteDatabase, mark: CommitMark | null): StoredCommits {
  const hasAudit = db.prepare("select count(*) from sqlite_master where name = 'audit'").pluck().get() as number
  const last = hasAudit === 0 ? null : readLastChange(db)
  if (last === null) return { store: null, commit: 0, atMs: 0 }
  const marked = db
    .prepare('select hash from audit where seq = ?')
    .pluck()
    .get(mark?.number ?? 0) as Uint8Array | undefined
  return { store: marked ? nameOf(marked) : null, commit: last.number, atMs: last.atMs }
}

/** null: nothing was ever changed. */
export function readLastChange(db: SqliteDatabase): CommitMark | null {
  const row = db.prepare('select seq, at_ms as atMs, hash from audit order by seq desc limit 1').get() as
    | { seq: number; atMs: number; hash: Uint8Array }
    | undefined
  return row ? { store: nameOf(row.hash), number: row.seq, atMs: row.atMs } : null
}

/**
 * Lays the mark, as what was lost is on record by then and the audit counts on from what is there, and keeps it up to date:
 * the answer is called after each commit.
 */
export function keepControlMark(path: string, db: SqliteDatabase): () => void {
  const first = readLastChange(db) ?? { store: '0', number: 0, atMs: 0 }
  layMarkAtStart(path, first)
  const writer = createMarkWriter(path, first.store)
  const last = db.prepare('select max(seq) from audit').pluck()
  let marked = first.number
  return () => {
    if (last.get() === marked) return
    const change = readLastChange(db)
    if (change === null) return
    marked = change.number
    writer.note(change.number, change.atMs, change.store)
  }
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex').slice(0, HASH_DIGITS)
}
