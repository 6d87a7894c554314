import { rmSync } from 'node:fs'
import { type Migration, migrate, SchemaNewerError } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { judgeCall, type Limit, type LimitVerdict } from './sliding-log.rules.ts'

const migrations: readonly Migration[] = [
  {
    name: 'calls',
    sql: `create table call (call_no integer primary key, bucket text not null, at_ms integer not null) strict;
          create index call_by_bucket on call (bucket, at_ms);
          create index call_by_time on call (at_ms);`,
  },
]

/** Rows that the file may hold; beyond it every caller waits, since forgetting calls would let more through. */
const ROWS_MAX = 500_000
/** Old rows taken out per call: more than one, so that the file shrinks under load. */
const PURGED_PER_CALL = 100
/** How long the main thread may wait for another process's call, in ms. */
const BUSY_TIMEOUT_MS = 250

export interface SlidingLog {
  /** Counts one call of a bucket, if there is room; throws when the file cannot be written, so that a caller fails closed. */
  take(limit: Limit, bucket: string): LimitVerdict
  close(): void
}

/** Opens limits.db. It holds nothing that must survive: a damaged file, or one of another version, is thrown away. */
export function openLimits(path: string): SqliteDatabase {
  try {
    return openAndMigrate(path)
  } catch (error) {
    const isDamaged = /^SQLITE_(CORRUPT|NOTADB)/.test(String((error as { code?: unknown }).code))
    if (!isDamaged && !(error instanceof SchemaNewerError)) throw error
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    return openAndMigrate(path)
  }
}

function openAndMigrate(path: string): SqliteDatabase {
  const db = openDatabase(path, { role: 'writer', synchronous: 'OFF', busyTimeoutMs: BUSY_TIMEOUT_MS })
  try {
    migrate(db, migrations)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Counts calls exactly, across processes that share the file: each call is one transaction under the write lock.
 * A clock set back neither opens a free window nor locks anyone out for longer than one window.
 */
export function createSlidingLog(db: SqliteDatabase, nowMs: () => number): SlidingLog {
  const pullBack = db.prepare('update call set at_ms = @now where at_ms > @now')
  const purge = db.prepare(
    `delete from call where call_no in (select call_no from call where at_ms <= @until order by at_ms limit ${PURGED_PER_CALL})`,
  )
  const count = db.prepare(
    'select count(*) as counted, min(at_ms) as oldestMs from call where bucket = @bucket and at_ms > @until',
  )
  const extent = db.prepare('select max(call_no) - min(call_no) + 1 as kept, min(at_ms) as oldestMs from call')
  const insert = db.prepare('insert into call (bucket, at_ms) values (@bucket, @now)')
  const take = db.transaction((limit: Limit, bucket: string): LimitVerdict => {
    const now = nowMs()
    const until = now - limit.windowMs
    pullBack.run({ now })
    purge.run({ until })
    const { kept, oldestMs: oldestOfAll } = extent.get() as { kept: number | null; oldestMs: number | null }
    if ((kept ?? 0) >= ROWS_MAX) return judgeCall({ ...limit, max: 0 }, { counted: 0, oldestMs: oldestOfAll, nowMs: now })
    const seen = count.get({ bucket, until }) as { counted: number; oldestMs: number | null }
    const verdict = judgeCall(limit, { ...seen, nowMs: now })
    if (verdict.allowed) insert.run({ bucket, now })
    return verdict
  })
  return { take: take.immediate, close: () => void db.close() }
}
