import type { Database } from 'better-sqlite3'

/** One forward-only step. Append-only list; a released step never changes. */
export interface Migration {
  name: string
  sql: string
}

/** The file was written by a newer version than this one: it is refused, by name, and left as it is. */
export class SchemaNewerError extends Error {
  override readonly name = 'SchemaNewerError'
}

/**
 * Brings a database to the last migration in one transaction: all of them or none.
 * The write lock is taken first, so that several processes may start together; each step and its record commit as one.
 */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  db.exec('begin immediate')
  try {
    db.exec('create table if not exists schema_migration (number integer primary key, name text not null) strict')
    const applied = db.prepare('select number, name from schema_migration order by number').all() as {
      number: number
      name: string
    }[]
    for (const row of applied) {
      const known = migrations[row.number - 1]
      if (known?.name !== row.name)
        throw new SchemaNewerError(`schema step ${row.number} "${row.name}" is not known to this version`)
    }
    const record = db.prepare('insert into schema_migration (number, name) values (?, ?)')
    migrations.slice(applied.length).forEach((step, at) => {
      db.exec(step.sql)
      record.run(applied.length + at + 1, step.name)
    })
    db.exec('commit')
  } catch (error) {
    if (db.inTransaction) db.exec('rollback')
    throw error
  }
}

/** Whether the file's schema is one that this version reads: the same steps, none missing, none more. */
export function isSchemaCurrent(db: Database, migrations: readonly Migration[]): boolean {
  const exists = db.prepare("select 1 from sqlite_master where name = 'schema_migration'").get()
  if (!exists) return false
  const last = db.prepare('select number, name from schema_migration order by number desc limit 1').get() as
    | { number: number; name: string }
    | undefined
  return last?.number === migrations.length && last.name === migrations.at(-1)?.name
}
