import { readLastChange } from '@loopkit/shared/database/control/guard-control'
import { controlMigrations } from '@loopkit/shared/database/control/migrations'
import type { CommitMark } from '@loopkit/shared/database/guard/commit-mark'
import type { Migration } from '@loopkit/shared/database/migrate'
import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { readLastCommit, readStoreId } from '@loopkit/shared/database/telemetry/last-commit'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { ExitError, FOLDER_EXIT } from '../exit-error.ts'
import type { DatabaseFacts } from './manifest.ts'

export type DatabaseFile = 'telemetry.db' | 'control.db'

/** What a database says of itself. Throws ExitError for one of a newer version, or none of ours. */
export function readFacts(db: SqliteDatabase, name: DatabaseFile): DatabaseFacts {
  const schema = readSchema(db, name, name === 'telemetry.db' ? telemetryMigrations : controlMigrations)
  const { store, number, atMs } = name === 'telemetry.db' ? lastOfTelemetry(db) : lastOfControl(db)
  return { ...schema, store, last_commit: number, last_at: atMs === 0 ? null : new Date(atMs).toISOString() }
}

/** The mark that fits a database of these facts. */
export function markOf({ store, last_commit, last_at }: DatabaseFacts): CommitMark {
  return { store, number: last_commit, atMs: last_at === null ? 0 : Date.parse(last_at) }
}

/** Every project that telemetry names must be known to control, or a new one would get its number and see its records. */
export function refuseUnknownProjects(telemetry: SqliteDatabase, control: SqliteDatabase): void {
  const known = new Set(control.prepare('select project_no from project').pluck().all())
  const next = telemetry.prepare('select min(project_no) from segment where project_no > ?').pluck()
  for (let no = next.get(0) as number | null; no !== null; no = next.get(no) as number | null) {
    if (known.has(no)) continue
    throw new ExitError(
      FOLDER_EXIT.damaged,
      `backup_mixed: telemetry.db holds records of project ${no}, which control.db does not know: they are not of one instance`,
    )
  }
}

/** Throws where a page of the file is not what it should be. */
export function refuseDamaged(db: SqliteDatabase, name: string): void {
  const [first] = db.pragma('quick_check(1)') as { quick_check: string }[]
  if (first?.quick_check !== 'ok')
    throw new ExitError(FOLDER_EXIT.damaged, `${name} is damaged: ${first?.quick_check.split('\n')[0]}`)
}

function readSchema(db: SqliteDatabase, name: string, known: readonly Migration[]): { schema: number; schema_name: string } {
  const exists = db.prepare("select 1 from sqlite_master where name = 'schema_migration'").get()
  if (!exists) throw new ExitError(FOLDER_EXIT.damaged, `${name} is no database of LoopKit`)
  const steps = db.prepare('select number, name from schema_migration order by number').all() as {
    number: number
    name: string
  }[]
  const foreign = steps.find(({ number, name: step }) => known[number - 1]?.name !== step)
  if (foreign)
    throw new ExitError(
      FOLDER_EXIT.newer,
      `${name} was written by a newer LoopKit (schema step ${foreign.number} "${foreign.name}")`,
    )
  const last = steps.at(-1)
  return { schema: last?.number ?? 0, schema_name: last?.name ?? '' }
}

function lastOfTelemetry(db: SqliteDatabase): CommitMark {
  const { commit, receivedMs } = readLastCommit(db)
  return { store: readStoreId(db) ?? '0', number: commit, atMs: receivedMs }
}

function lastOfControl(db: SqliteDatabase): CommitMark {
  return readLastChange(db) ?? { store: '0', number: 0, atMs: 0 }
}
