import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { noTurn, type WriteTurn } from '../write/write-turn.ts'

/** telemetry.db as retention and merging hold it: a connection of their own for short transactions. */
export interface RetainedStore {
  db: SqliteDatabase
  /** A statement that is prepared once. */
  statement(sql: string): Statement
  /** One short transaction, when it is this thread's turn; the writer waits for its end. */
  write<T>(change: () => T): T
  /** Longest transaction since the last call, in ms, from holding the lock to letting it go. */
  takeLongestMs(): number
  close(): void
}

/** As much of a statement as is used here, with any number of values. */
interface Statement {
  all(...values: unknown[]): unknown[]
  get(...values: unknown[]): unknown
  run(...values: unknown[]): { changes: number }
  safeIntegers(): Statement
}

const CACHE_KIB = 4_096

/**
 * `synchronous=NORMAL`, unlike the writer: what is removed or joined here may come back after a power cut, as the log is a
 * prefix of what was written, and a commit of spans that follows makes it durable on the way.
 */
export function openRetainedStore(path: string, clock: Clock, busyTimeoutMs: number, turn: WriteTurn = noTurn): RetainedStore {
  const db = openDatabase(path, { role: 'writer', busyTimeoutMs })
  db.pragma('synchronous = NORMAL')
  db.pragma('wal_autocheckpoint = 0')
  db.pragma(`cache_size = -${CACHE_KIB}`)
  const statements = new Map<string, Statement>()
  let longestMs = 0
  return {
    db,
    statement(sql) {
      const statement = statements.get(sql) ?? db.prepare(sql)
      statements.set(sql, statement)
      return statement
    },
    write: (change) =>
      turn(() => {
        db.exec('begin immediate')
        const startMs = clock.monotonicMs()
        try {
          const result = change()
          db.exec('commit')
          return result
        } catch (error) {
          if (db.inTransaction) db.exec('rollback')
          throw error
        } finally {
          longestMs = Math.max(longestMs, clock.monotonicMs() - startMs)
        }
      }),
    takeLongestMs() {
      const longest = longestMs
      longestMs = 0
      return longest
    },
    close: () => db.close(),
  }
}
