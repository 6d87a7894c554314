import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { OVERFLOW } from './index-spans.ts'

/** Numbers of words met in telemetry. Call it inside the transaction that uses them. */
export interface Dictionary {
  operationNo(projectNo: number, service: string, operation: string): number
  /** 0 for a span that names no release. */
  releaseNo(projectNo: number, service: string, release: string, nowMs: number): number
  sessionNo(projectNo: number, sessionId: string, isExplicit: boolean, nowMs: number): number
  /** First in each transaction: forgets what is remembered where another thread has removed words since. */
  refresh(): void
  /** After a rollback: numbers given in it do not exist. */
  forget(): void
}

/** Counts removals of words; a row of `meta`. */
const REMOVALS = 'word_removals'

/** Inside a transaction that removes words: the threads that remember them ask the tables again. */
export function forgetWords(db: SqliteDatabase): () => void {
  const count = db.prepare('insert into meta (name, value) values (?, 1) on conflict do update set value = value + 1')
  return () => void count.run(REMOVALS)
}

/** Distinct operations and releases of one project; telemetry that mints names must not grow the tables for ever. */
const WORDS_PER_PROJECT_MAX = 20_000
/** Words remembered; beyond it all are forgotten and read again. */
const REMEMBERED_MAX = 50_000

interface WordTable {
  find: { get(...values: unknown[]): unknown }
  add: { get(...values: unknown[]): unknown }
  count: { get(projectNo: number): unknown }
}

export function createDictionary(db: SqliteDatabase): Dictionary {
  const operations = wordTable(db, 'operation', 'operation', '')
  const releases = wordTable(db, 'release', 'release', ', first_seen_ms')
  const findSession = db.prepare('select session_no, explicit from session where project_no = ? and session_id = ?')
  const addSession = db
    .prepare('insert into session (project_no, session_id, explicit, first_seen_ms) values (?, ?, ?, ?) returning session_no')
    .pluck()
  const makeExplicit = db.prepare('update session set explicit = 1 where session_no = ?')
  const readRemovals = db.prepare('select value from meta where name = ?').pluck()
  const remembered = new Map<string, number>()
  const counts = new Map<string, number>()
  let removals: unknown

  function forget(): void {
    remembered.clear()
    counts.clear()
  }

  function remember(key: string, find: () => number): number {
    const known = remembered.get(key)
    if (known !== undefined) return known
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    const number = find()
    remembered.set(key, number)
    return number
  }

  function wordNo(table: WordTable, kind: string, projectNo: number, service: string, word: string, rest: unknown[]): number {
    return remember(`${kind}\0${projectNo}\0${service}\0${word}`, () => {
      const found = table.find.get(projectNo, service, word) as number | undefined
      if (found !== undefined) return found
      const countKey = `${kind}\0${projectNo}`
      const count = counts.get(countKey) ?? (table.count.get(projectNo) as number)
      if (count >= WORDS_PER_PROJECT_MAX && word !== OVERFLOW) return wordNo(table, kind, projectNo, OVERFLOW, OVERFLOW, rest)
      counts.set(countKey, count + 1)
      return table.add.get(projectNo, service, word, ...rest) as number
    })
  }

  function sessionNo(projectNo: number, sessionId: string, isExplicit: boolean, nowMs: number): number {
    return remember(`session\0${projectNo}\0${isExplicit}\0${sessionId}`, () => {
      const found = findSession.get(projectNo, sessionId) as { session_no: number; explicit: number } | undefined
      if (found && isExplicit && found.explicit === 0) makeExplicit.run(found.session_no)
      return found?.session_no ?? (addSession.get(projectNo, sessionId, isExplicit ? 1 : 0, nowMs) as number)
    })
  }

  return {
    operationNo: (projectNo, service, operation) => wordNo(operations, 'operation', projectNo, service, operation, []),
    releaseNo: (projectNo, service, release, nowMs) =>
      release === '' ? 0 : wordNo(releases, 'release', projectNo, service, release, [nowMs]),
    sessionNo,
    refresh() {
      const now = readRemovals.get(REMOVALS)
      if (now !== removals) forget()
      removals = now
    },
    forget,
  }
}

/** `operation` and `release` have the same shape. */
function wordTable(db: SqliteDatabase, table: string, column: string, more: string): WordTable {
  const values = more === '' ? '(?, ?, ?)' : '(?, ?, ?, ?)'
  return {
    find: db.prepare(`select ${column}_no from ${table} where project_no = ? and service = ? and ${column} = ?`).pluck(),
    add: db
      .prepare(`insert into ${table} (project_no, service, ${column}${more}) values ${values} returning ${column}_no`)
      .pluck(),
    count: db.prepare(`select count(*) from ${table} where project_no = ?`).pluck(),
  }
}
