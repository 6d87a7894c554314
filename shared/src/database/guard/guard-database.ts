import { closeSync, copyFileSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from '../../runtime/durable-file.ts'
import { openDatabase, type SqliteDatabase } from '../open.ts'
import { type CommitMark, readCommitMark } from './commit-mark.ts'
import { type DatabaseName, type DataLoss, isSameLoss, readDataLosses, recordDataLoss } from './data-loss.ts'
import { checkDatabasePlace, DatabaseDamagedError } from './database-place.ts'
import { FolderInUseError, type Service, takeFolder } from './folder-lock.ts'
import { judgeLoss, type StoredCommits } from './judge-loss.ts'

/** A database as it was found, before anything writes it. */
export interface GuardedDatabase {
  mark: CommitMark | null
  /** Found by this look; it is on record. */
  loss: DataLoss | null
  /** Where a damaged write-ahead log lies now. */
  setAside: string | null
  /** The file was looked at through a connection that reads: ended only now, so that the log is not read twice. */
  close(): void
}

export interface GuardTerms {
  path: string
  database: DatabaseName
  readStored(db: SqliteDatabase, mark: CommitMark | null): StoredCommits
  /** Who else may have the file open. */
  others: readonly Service[]
  /** They open it anew when another file lies in its place. */
  doReadersNotice: boolean
  nowMs: number
}

/**
 * Looks at a database before its writer opens it, since the first checkpoint makes damage of the log final. Only its writer calls
 * it. Throws DatabaseDamagedError, and what SQLite says, where nothing sound is there; then nothing was changed.
 */
export function guardDatabase(terms: GuardTerms): GuardedDatabase {
  const { path } = terms
  const mark = readCommitMark(path)
  if (checkDatabasePlace(path, mark) === 'absent') return { mark, loss: null, setAside: null, close: () => {} }
  const looked = lookAt(path, terms, mark)
  const { opened } = looked
  if (opened !== null) {
    const loss = judgeLoss(terms.database, mark, opened.stored, terms.nowMs)
    if (loss === null || isKnown(terms, loss)) return { mark, loss: null, setAside: null, close: () => opened.db.close() }
  }
  const { stored, setAside } = chooseSound(terms, mark, looked)
  const loss = judgeLoss(terms.database, mark, stored, terms.nowMs)
  return { mark, loss: loss && recordDataLoss(dirname(path), loss), setAside, close: () => {} }
}

/** `null` in place of what could not be had, with what was thrown. */
interface Looked {
  opened: { db: SqliteDatabase; stored: StoredCommits } | null
  error?: unknown
}

interface Sound {
  stored: StoredCommits | null
  error?: unknown
}

function lookAt(path: string, { readStored }: GuardTerms, mark: CommitMark | null): Looked {
  let db: SqliteDatabase | null = null
  try {
    db = openDatabase(path, { role: 'reader' })
    return { opened: { db, stored: readStored(db, mark) } }
  } catch (error) {
    db?.close()
    return { opened: null, error }
  }
}

function isKnown({ path, database }: GuardTerms, loss: DataLoss): boolean {
  return readDataLosses(dirname(path), database).some((known) => isSameLoss(known, loss))
}

/**
 * A log that is damaged in its middle ends there for SQLite. Where the pages behind it were moved into the file already, what
 * is left of the log hides them, and file and log do not fit each other any more: then the file alone is the better half.
 */
function chooseSound(
  terms: GuardTerms,
  mark: CommitMark | null,
  looked: Looked,
): { stored: StoredCommits; setAside: string | null } {
  const { path, nowMs } = terms
  const withLog = soundness(looked)
  const logBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const alone = logBytes === 0 ? null : lookAlone(terms, mark)
  if (alone !== null && (withLog.stored === null || alone.commit > withLog.stored.commit))
    return { stored: alone, setAside: setLogAside(terms) }
  if (withLog.stored === null) throw explained(path, withLog.error)
  return { stored: withLog.stored, setAside: logBytes === 0 ? null : copyLogAside(path, nowMs) }
}

function explained(path: string, error: unknown): unknown {
  const { code } = error as { code?: string }
  return code === 'SQLITE_CANTOPEN' ? new DatabaseDamagedError(`${path} or its log cannot be opened`, { cause: error }) : error
}

/** Closes it. */
function soundness({ opened, error }: Looked): Sound {
  if (opened === null) return { stored: null, error }
  const { db, stored } = opened
  try {
    const [first] = db.pragma('integrity_check(1)') as { integrity_check: string }[]
    if (first?.integrity_check === 'ok') return { stored }
    return { stored: null, error: new DatabaseDamagedError(`${db.name} is damaged (${first?.integrity_check})`) }
  } catch (thrown) {
    return { stored: null, error: thrown }
  } finally {
    db.close()
  }
}

/** The file without its log, under another name; null where that is not sound, or cannot be seen. */
function lookAlone(terms: GuardTerms, mark: CommitMark | null): StoredCommits | null {
  const { path } = terms
  const alias = `${path}.alone`
  const removeAlias = () => {
    for (const name of [alias, `${alias}-wal`, `${alias}-shm`]) rmSync(name, { force: true })
  }
  try {
    removeAlias()
    linkSync(path, alias)
    return soundness(lookAt(alias, terms, mark)).stored
  } catch {
    // A file system without links.
    return null
  } finally {
    removeAlias()
  }
}

/**
 * Who has the file open would go on with what was taken away. So either nobody has, or readers notice that another file lies in
 * its place.
 */
function setLogAside(terms: GuardTerms): string {
  const { path, others, nowMs, doReadersNotice } = terms
  const aside = asideName(path, nowMs)
  const releases: (() => void)[] = []
  try {
    for (const service of others) releases.push(takePlace(path, service))
    moveLog(path, aside)
  } catch (error) {
    if (!doReadersNotice || !(error instanceof DatabaseDamagedError)) throw error
    replaceWithCopy(path, () => moveLog(path, aside))
  } finally {
    for (const release of releases) release()
  }
  return aside
}

function moveLog(path: string, aside: string): void {
  renameSync(`${path}-wal`, aside)
  rmSync(`${path}-shm`, { force: true })
}

/** Cut off in between, the file lies there without its log, which is what was chosen. */
function replaceWithCopy(path: string, moveLogAway: () => void): void {
  const draft = `${path}.draft`
  copyFileSync(path, draft)
  const file = openSync(draft, 'r')
  fsyncSync(file)
  closeSync(file)
  moveLogAway()
  renameSync(draft, path)
  syncFolder(dirname(path))
}

function takePlace(path: string, service: Service): () => void {
  try {
    return takeFolder(dirname(path), service)
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error
    throw new DatabaseDamagedError(
      `${path}-wal is damaged, and the ${service} has it open; stop both services, then start them anew`,
    )
  }
}

/** For whoever wants to look into it: the next commits write over it. null where there is no room. */
function copyLogAside(path: string, nowMs: number): string | null {
  const aside = asideName(path, nowMs)
  try {
    copyFileSync(`${path}-wal`, aside)
    return aside
  } catch {
    rmSync(aside, { force: true })
    return null
  }
}

function asideName(path: string, nowMs: number): string {
  return `${path}-wal.damaged-${new Date(nowMs).toISOString().replace(/[:.]/g, '')}`
}
