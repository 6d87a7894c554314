import { type GuardedDatabase, guardDatabase } from '../guard/guard-database.ts'
import type { StoredCommits } from '../guard/judge-loss.ts'
import type { SqliteDatabase } from '../open.ts'
import { readLastCommit, readStoreId } from './last-commit.ts'

/** Called by the collector alone, with the folder taken. See guardDatabase. */
export function guardTelemetry(path: string, nowMs: number): GuardedDatabase {
  return guardDatabase({
    ...{ path, database: 'telemetry.db', readStored: readStoredTelemetry, nowMs },
    ...{ others: ['analyzer'], doReadersNotice: true },
  })
}

/** A file that the first start was cut off in has no table yet. */
export function readStoredTelemetry(db: SqliteDatabase): StoredCommits {
  const tables = db.prepare("select count(*) from sqlite_master where name in ('meta', 'segment')").pluck().get() as number
  if (tables < 2) return { store: null, commit: 0, atMs: 0 }
  const { commit, receivedMs } = readLastCommit(db)
  return { store: readStoreId(db), commit, atMs: receivedMs }
}
