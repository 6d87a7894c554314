import type { Statement } from 'better-sqlite3'
import type { SqliteDatabase } from './open.ts'

/** Prepared statements that a connection keeps, those asked last; one takes some kilobytes. */
const STATEMENTS_MAX = 500

interface Mode {
  pluck: boolean
  raw: boolean
  safeIntegers: boolean
}

const PLAIN: Mode = { pluck: false, raw: false, safeIntegers: false }

type Prepare = (sql: string) => Statement

/**
 * A reader's connection that prepares each statement once: the same questions come again and again, and preparing one takes longer than
 * answering it. A statement that is being read from is not disturbed, and how one caller wants its rows is nothing to another one.
 */
export function rememberStatements(db: SqliteDatabase): SqliteDatabase {
  const prepare: Prepare = db.prepare.bind(db)
  const known = new Map<string, Statement>()
  const take = (sql: string, mode: Mode): Statement => {
    const key = `${Number(mode.pluck)}${Number(mode.raw)}${Number(mode.safeIntegers)}${sql}`
    const before = known.get(key)
    known.delete(key)
    const statement = before && !before.busy ? before : inMode(prepare(sql), mode)
    known.set(key, statement)
    if (known.size > STATEMENTS_MAX) known.delete(known.keys().next().value!)
    return statement
  }
  const prepareOnce: Prepare = (sql) => new RememberedStatement(take, sql, PLAIN) as unknown as Statement
  return Object.assign(db, { prepare: prepareOnce })
}

function inMode(statement: Statement, { pluck, raw, safeIntegers }: Mode): Statement {
  if (pluck) statement.pluck()
  if (raw) statement.raw()
  if (safeIntegers) statement.safeIntegers()
  return statement
}

/** What readers use of a statement. */
class RememberedStatement {
  readonly #take: (sql: string, mode: Mode) => Statement
  readonly #sql: string
  readonly #mode: Mode

  constructor(take: (sql: string, mode: Mode) => Statement, sql: string, mode: Mode) {
    this.#take = take
    this.#sql = sql
    this.#mode = mode
  }

  pluck(on = true): RememberedStatement {
    return this.#as({ pluck: on })
  }

  raw(on = true): RememberedStatement {
    return this.#as({ raw: on })
  }

  safeIntegers(on = true): RememberedStatement {
    return this.#as({ safeIntegers: on })
  }

  get(...parameters: unknown[]): unknown {
    return this.#statement().get(...parameters)
  }

  all(...parameters: unknown[]): unknown[] {
    return this.#statement().all(...parameters)
  }

  iterate(...parameters: unknown[]): IterableIterator<unknown> {
    return this.#statement().iterate(...parameters)
  }

  #as(mode: Partial<Mode>): RememberedStatement {
    return new RememberedStatement(this.#take, this.#sql, { ...this.#mode, ...mode })
  }

  #statement(): Statement {
    return this.#take(this.#sql, this.#mode)
  }
}
