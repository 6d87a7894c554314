import { keepControlMark } from '@loopkit/shared/database/control/guard-control'
import { controlMigrations } from '@loopkit/shared/database/control/migrations'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { type Compilable, type DatabaseConnection, Kysely, SqliteDialect, SqliteDriver } from 'kysely'
import type { ControlTables } from './tables.ts'

/** Builds typed queries over control.db. Executing one awaits nothing but the next tick. */
export type ControlDatabase = Kysely<ControlTables>

/** Runs queries at once, on the one connection. */
export interface ControlQueries {
  all<Row>(query: Compilable<Row>): Row[]
  first<Row>(query: Compilable<Row>): Row | undefined
  /** How many rows it changed. */
  run(query: Compilable): number
}

export interface Control extends ControlQueries {
  db: ControlDatabase
  sqlite: SqliteDatabase
  /**
   * All of `work` or nothing, under the write lock from its first statement (BEGIN IMMEDIATE), so that what it reads is still
   * true when it writes. Synchronous: no other statement of this process comes in between. An error rolls back and is thrown on.
   */
  transaction<T>(work: (queries: ControlQueries) => T): T
  close(): void
}

/** How long the main thread may wait for another analyzer's transaction, in ms; those are single short ones. */
const BUSY_TIMEOUT_MS = 500

/**
 * Opens control.db as its writer and brings it to the newest schema. Throws SchemaNewerError for a file of a newer version.
 * `lostChanges`: so many at the end of the file are gone.
 */
export function openControl(path: string, lostChanges = 0): Control {
  const sqlite = openDatabase(path, { role: 'writer', busyTimeoutMs: BUSY_TIMEOUT_MS })
  try {
    migrate(sqlite, controlMigrations)
    if (lostChanges > 0) skipProjectNumbers(sqlite, lostChanges)
    return createControl(sqlite, keepControlMark(path, sqlite))
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** A project may have been made by each change that is gone. The next one must not get its number, and with it its records. */
function skipProjectNumbers(sqlite: SqliteDatabase, count: number): void {
  const { changes } = sqlite.prepare("update sqlite_sequence set seq = seq + ? where name = 'project'").run(count)
  if (changes === 0) sqlite.prepare("insert into sqlite_sequence (name, seq) values ('project', ?)").run(count)
}

export function createControl(sqlite: SqliteDatabase, onCommitted: () => void = () => {}): Control {
  const db = new Kysely<ControlTables>({ dialect: new ControlDialect({ database: sqlite }) })
  const queries = createQueries(sqlite)
  const immediate = sqlite.transaction((work: (queries: ControlQueries) => unknown) => work(queries)).immediate
  return {
    ...queries,
    db,
    sqlite,
    transaction: <T>(work: (queries: ControlQueries) => T) => {
      const result = immediate(work) as T
      onCommitted()
      return result
    },
    close: () => void sqlite.close(),
  }
}

function createQueries(sqlite: SqliteDatabase): ControlQueries {
  return {
    all: <Row>(query: Compilable<Row>) => {
      const { sql, parameters } = query.compile()
      return sqlite.prepare(sql).all(...parameters) as Row[]
    },
    first: <Row>(query: Compilable<Row>) => {
      const { sql, parameters } = query.compile()
      return sqlite.prepare(sql).get(...parameters) as Row | undefined
    },
    run: (query) => {
      const { sql, parameters } = query.compile()
      return sqlite.prepare(sql).run(...parameters).changes
    },
  }
}

/** Kysely's own transactions begin without the write lock and last over ticks: a second one on this connection would fail. */
class ControlDriver extends SqliteDriver {
  override async beginTransaction(_connection: DatabaseConnection): Promise<void> {
    throw new Error('control.db: use Control.transaction')
  }
}

class ControlDialect extends SqliteDialect {
  readonly #config: ConstructorParameters<typeof SqliteDriver>[0]

  constructor(config: ConstructorParameters<typeof SqliteDriver>[0]) {
    super(config)
    this.#config = config
  }

  override createDriver(): ControlDriver {
    return new ControlDriver(this.#config)
  }
}
