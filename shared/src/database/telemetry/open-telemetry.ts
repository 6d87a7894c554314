import { isSchemaCurrent } from '../migrate.ts'
import { openDatabase, type SqliteDatabase } from '../open.ts'
import { telemetryMigrations } from './migrations.ts'
import { createTraceHasher, TRACE_HASH_KEY, type TraceHasher } from './trace-hash.ts'

/** telemetry.db as a reader holds it. */
export interface TelemetryReader {
  db: SqliteDatabase
  hasher: TraceHasher
}

/**
 * Opens telemetry.db to read it, or answers null while it does not exist yet or is not of this version's schema.
 * Throws what SQLite says of a damaged file.
 */
export function openTelemetryReader(path: string, busyTimeoutMs?: number): TelemetryReader | null {
  let db: SqliteDatabase
  try {
    db = openDatabase(path, { role: 'reader', busyTimeoutMs })
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_CANTOPEN') return null
    throw error
  }
  try {
    const key = isSchemaCurrent(db, telemetryMigrations) ? readTraceHashKey(db) : null
    if (key) return { db, hasher: createTraceHasher(key) }
  } catch (error) {
    db.close()
    throw error
  }
  db.close()
  return null
}

export function readTraceHashKey(db: SqliteDatabase): Uint8Array | null {
  const value = db.prepare('select value from meta where name = ?').pluck().get(TRACE_HASH_KEY) as Uint8Array | undefined
  return value ?? null
}
