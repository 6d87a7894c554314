import Database from 'better-sqlite3'

export type SqliteDatabase = Database.Database

/** Who opens a file: the one role that writes it, or a reader. */
export type Role = 'writer' | 'reader'

/** Page size in bytes: 8 kB pages hold compressed segments with less overflow than 4 kB (measured in a prototype). */
const PAGE_SIZE_BYTES = 8192
/** How long a statement may wait for another connection's lock, in ms. Main threads pass less. */
const BUSY_TIMEOUT_MS = 2000

/** What a write-ahead log keeps of its size when it begins anew; more, from a reader that took long, is given back. */
const LOG_KEPT_BYTES = 32 * 1024 ** 2

/** Pages that a connection keeps, in KiB: the system has them too, and each of the many connections holds its own. */
const CACHE_KIB = 2_048

export interface OpenOptions {
  role: Role
  busyTimeoutMs?: number
  /** `FULL`: a commit survives power loss. `OFF`: for files that may be lost (limits.db). */
  synchronous?: 'FULL' | 'OFF'
}

/**
 * Opens one SQLite file in WAL mode. A writer creates it; a reader fails with SQLITE_CANTOPEN where it does not exist.
 * better-sqlite3's own default is synchronous=NORMAL, which loses acknowledged commits on power loss: hence FULL here.
 */
export function openDatabase(
  path: string,
  { role, busyTimeoutMs = BUSY_TIMEOUT_MS, synchronous = 'FULL' }: OpenOptions,
): SqliteDatabase {
  const db = new Database(path, { readonly: role === 'reader', fileMustExist: role === 'reader', timeout: busyTimeoutMs })
  db.pragma(`cache_size = -${CACHE_KIB}`)
  if (role === 'writer') {
    if (db.pragma('page_count', { simple: true }) === 0) {
      db.pragma(`page_size = ${PAGE_SIZE_BYTES}`)
      // Takes the write lock even where it changes nothing: a second connection must not wait for a busy writer to open.
      db.pragma('auto_vacuum = incremental')
    }
    db.pragma('journal_mode = WAL')
    db.pragma(`synchronous = ${synchronous}`)
    db.pragma(`journal_size_limit = ${LOG_KEPT_BYTES}`)
    db.pragma('foreign_keys = ON')
  }
  return db
}

/** A file that is only locked, never written: without a log, so that SQLite's own locks on it mean what they say. */
export function openLockFile(path: string, busyTimeoutMs: number): SqliteDatabase {
  return new Database(path, { timeout: busyTimeoutMs })
}
