import { existsSync } from 'node:fs'
import { isSchemaCurrent, migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { rememberStatements } from '@loopkit/shared/database/remember-statements'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { openTelemetryReader } from '@loopkit/shared/database/telemetry/open-telemetry'
import {
  createDecisionsOfTraces,
  createTraceDecisions,
  type DecisionsOfTraces,
  type TraceDecisions,
} from '@loopkit/shared/database/telemetry/trace-decisions'
import { createTraceHasher, type TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import { createTraceIndex, type TraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import { createSegmentOpener, type SegmentOpener } from '@loopkit/shared/segment/segment-opener'
import { DEFAULT_SOFT_THRESHOLDS, type SoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import { type CostOf, sentCost } from '@loopkit/shared/span/price-call'
import type { ResolvedEvidence } from './evidence/resolved-evidence.ts'
import { createReadMemory, type ReadMemory } from './read-memory.ts'

/** One connection to telemetry.db with what is remembered beside it. */
export interface TelemetryConnection {
  db: SqliteDatabase
  hasher: TraceHasher
  index: TraceIndex
  decisions: TraceDecisions
  decisionsOfTraces: DecisionsOfTraces
  /** Opens segments; what it opened holds as long as one question. */
  segments: SegmentOpener
  /** What undecided traces are judged by, the same as where they are decided. */
  thresholds: SoftThresholds
  /** By the same table of prices as where they are decided. */
  costOf: CostOf
  /** Values that splits of pains have read, by record: ended records do not change. */
  splitValues: Map<string, ReadonlyMap<string, string | null>>
  /** What was read of failing records and their traces, by record and the segments that held them. */
  evidence: Map<string, ResolvedEvidence>
  /** What was worked out of telemetry that does not change; without it every answer is the same. */
  memory: ReadMemory
}

/**
 * `absent`: the collector has not made it yet, reads answer as if nothing was ever sent. `newer`, `older`: it is not ours to read; an
 * older one is about to be migrated, or a collector of an earlier version still writes it.
 */
export type TelemetryState = 'current' | 'absent' | 'newer' | 'older'

/** What kind of file lies there. Throws what SQLite says of a damaged one. */
export function telemetryStateOf(path: string): TelemetryState {
  if (!existsSync(path)) return 'absent'
  const db = openDatabase(path, { role: 'reader' })
  try {
    if (isSchemaCurrent(db, telemetryMigrations)) return 'current'
    const steps = db.prepare("select count(*) from sqlite_master where name = 'schema_migration'").pluck().get() as number
    if (steps === 0) return 'absent'
    const applied = db.prepare('select count(*) from schema_migration').pluck().get() as number
    return applied < telemetryMigrations.length ? 'older' : 'newer'
  } finally {
    db.close()
  }
}

/**
 * Of traces of 8 spans each, for 50 million spans; older ones are looked up page by page. Only a diagnosis asks for so many traces at
 * a time that filters are less, and for the same ones again: some 100 bytes each, in each of the runs that may hold them.
 */
const FILTERED = { filterMaxBytes: 8 * 1024 ** 2, filterFromTraces: 200, rememberedMax: 2_000 }

/** Opens the file for reading; null while it does not exist or is of another version. */
export function openTelemetry(
  path: string,
  thresholds = DEFAULT_SOFT_THRESHOLDS,
  costOf = sentCost,
  memory = createReadMemory(),
): TelemetryConnection | null {
  const reader = openTelemetryReader(path)
  if (reader === null) return null
  const db = rememberStatements(reader.db)
  return {
    ...reader,
    db,
    index: createTraceIndex(db, FILTERED),
    decisions: createTraceDecisions(db),
    decisionsOfTraces: createDecisionsOfTraces(db, FILTERED),
    segments: createSegmentOpener(),
    thresholds,
    costOf,
    splitValues: new Map(),
    evidence: new Map(),
    memory,
  }
}

/** A connection that knows no record: what reads see before the collector's first start. */
export function openEmptyTelemetry(): TelemetryConnection {
  const db = openDatabase(':memory:', { role: 'writer' })
  migrate(db, telemetryMigrations)
  const hasher = createTraceHasher(new Uint8Array(8))
  return {
    db,
    hasher,
    index: createTraceIndex(db),
    decisions: createTraceDecisions(db),
    decisionsOfTraces: createDecisionsOfTraces(db, FILTERED),
    segments: createSegmentOpener(),
    thresholds: DEFAULT_SOFT_THRESHOLDS,
    costOf: sentCost,
    splitValues: new Map(),
    evidence: new Map(),
    memory: createReadMemory(),
  }
}
