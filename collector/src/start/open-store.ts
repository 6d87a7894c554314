import { randomBytes } from 'node:crypto'
import { type CommitMark, layMarkAtStart } from '@loopkit/shared/database/guard/commit-mark'
import { DatabaseDamagedError } from '@loopkit/shared/database/guard/database-place'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { readLastCommit, readStoreId, STORE_ID } from '@loopkit/shared/database/telemetry/last-commit'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { readTraceHashKey } from '@loopkit/shared/database/telemetry/open-telemetry'
import { TRACE_HASH_KEY } from '@loopkit/shared/database/telemetry/trace-hash'
import { eachStoredTrace } from '@loopkit/shared/database/telemetry/trace-index'
import { type BloomFilter, createBloomFilter } from '../admit/bloom-filter.ts'

/** What the process must know of telemetry.db before it takes the first request. */
export interface StoreState {
  hashKey: Uint8Array
  /** Spans ever accepted, by project. */
  accepted: Map<number, number>
  /** Traces that have spans in the store. */
  olderTraces: BloomFilter
}

const HASH_KEY_BYTES = 8
const STORE_ID_BYTES = 8
/** Earlier versions can corrupt a WAL when two connections write and checkpoint (sqlite.org, "WAL-reset bug"). */
const SQLITE_MIN = [3, 51, 3] as const

export class SqliteTooOldError extends Error {
  override readonly name = 'SqliteTooOldError'
}

/**
 * Creates or migrates telemetry.db, reads what must be remembered, and lays the mark of its last commit: `mark` is the one that
 * was found; numbers beyond the file's that it names are not given again. Throws SchemaNewerError and what SQLite throws.
 */
export function openStore(path: string, mark: CommitMark | null): StoreState {
  const db = openFile(path)
  try {
    refuseOldSqlite(db)
    migrate(db, telemetryMigrations)
    layMark(path, db, mark)
    return { hashKey: hashKeyOf(db), accepted: acceptedOf(db), olderTraces: tracesOf(db) }
  } finally {
    db.close()
  }
}

function layMark(path: string, db: SqliteDatabase, found: CommitMark | null): void {
  const { commit, receivedMs } = readLastCommit(db)
  const [number, atMs] = [Math.max(commit, found?.number ?? 0), Math.max(receivedMs, found?.atMs ?? 0)]
  const store = storeIdOf(db)
  if (found?.store === store && found.number === number && found.atMs === atMs) return
  layMarkAtStart(path, { store, number, atMs })
}

/** The folder was proven writable before: what cannot be opened now is not a file, or not ours. */
function openFile(path: string): SqliteDatabase {
  try {
    return openDatabase(path, { role: 'writer' })
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_CANTOPEN') throw error
    throw new DatabaseDamagedError(`${path} cannot be opened`, { cause: error })
  }
}

function refuseOldSqlite(db: SqliteDatabase): void {
  const version = db.prepare('select sqlite_version()').pluck().get() as string
  const parts = version.split('.').map(Number)
  const first = SQLITE_MIN.findIndex((part, at) => part !== parts[at])
  if (first >= 0 && parts[first]! < SQLITE_MIN[first]!)
    throw new SqliteTooOldError(`SQLite ${version} is too old, ${SQLITE_MIN.join('.')} is needed`)
}

function hashKeyOf(db: SqliteDatabase): Uint8Array {
  db.prepare('insert into meta (name, value) values (?, ?) on conflict do nothing').run(
    TRACE_HASH_KEY,
    randomBytes(HASH_KEY_BYTES),
  )
  return new Uint8Array(readTraceHashKey(db)!)
}

function storeIdOf(db: SqliteDatabase): string {
  db.prepare('insert into meta (name, value) values (?, ?) on conflict do nothing').run(
    STORE_ID,
    randomBytes(STORE_ID_BYTES).toString('hex'),
  )
  return readStoreId(db)!
}

function acceptedOf(db: SqliteDatabase): Map<number, number> {
  const rows = db.prepare('select project_no, spans from accepted').all() as { project_no: number; spans: number }[]
  return new Map(rows.map(({ project_no, spans }) => [project_no, spans]))
}

function tracesOf(db: SqliteDatabase): BloomFilter {
  const filter = createBloomFilter()
  eachStoredTrace(db, filter.add)
  return filter
}
