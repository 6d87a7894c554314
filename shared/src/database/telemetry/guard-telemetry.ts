import { copyFileSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type CommitMark, readCommitMark } from '../guard/commit-mark.ts'
import { type DataLoss, readDataLosses, recordDataLoss } from '../guard/data-loss.ts'
import { checkDatabasePlace, DatabaseDamagedError } from '../guard/database-place.ts'
import { FolderInUseError, takeFolder } from '../guard/folder-lock.ts'
import { judgeLoss, type StoredCommits } from '../guard/judge-loss.ts'
import { openDatabase, type SqliteDatabase } from '../open.ts'
import { readLastCommit, readStoreId } from './last-commit.ts'

/** telemetry.db as it was found, before anything writes it. */
export interface GuardedTelemetry {
  mark: CommitMark | null
  /** Found by this look; it is on record. */
  loss: DataLoss | null
  /** Where a damaged write-ahead log lies now. */
  setAside: string | null
  /** The file was looked at through a connection that reads: ended only now, so that the log is not read twice. */
  close(): void
}

/**
 * Looks at telemetry.db before its writer opens it, since the first checkpoint makes damage of the log final. Only the collector
 * calls it, with the folder taken. Throws DatabaseDamagedError, and what SQLite says, where nothing sound is there; then nothing
 * was changed.
 */
export function guardTelemetry(path: string, nowMs: number): GuardedTelemetry {
  const mark = readCommitMark(path)
  if (checkDatabasePlace(path, mark) === 'absent') return { mark, loss: null, setAside: null, close: () => {} }
  const opened = lookAt(path)
  if (!(opened instanceof Error)) {
    const loss = judgeLoss('telemetry.db', mark, opened.stored, nowMs)
    if (loss === null || isKnown(path, loss)) return { mark, loss: null, setAside: null, close: () => opened.db.close() }
  }
  const { stored, setAside } = chooseSound(path, opened, nowMs)
  const loss = judgeLoss('telemetry.db', mark, stored, nowMs)
  return { mark, loss: loss && recordDataLoss(dirname(path), loss), setAside, close: () => {} }
}

interface Looked {
  db: SqliteDatabase
  stored: StoredCommits
}

function lookAt(path: string): Looked | Error {
  let db: SqliteDatabase | null = null
  try {
    db = openDatabase(path, { role: 'reader' })
    return { db, stored: storedIn(db) }
  } catch (error) {
    db?.close()
    return error as Error
  }
}

/** A file that the first start was cut off in has no table yet. */
export function storedIn(db: SqliteDatabase): StoredCommits {
  const has = db.prepare("select count(*) from sqlite_master where name in ('meta', 'segment')").pluck().get() as number
  if (has < 2) return { store: null, commit: 0, atMs: 0 }
  const { commit, receivedMs } = readLastCommit(db)
  return { store: readStoreId(db), commit, atMs: receivedMs }
}

function isKnown(path: string, { from_commit, to_commit }: DataLoss): boolean {
  const losses = readDataLosses(dirname(path), 'telemetry.db')
  return losses.some((known) => known.from_commit === from_commit && known.to_commit === to_commit)
}

/**
 * A log that is damaged in its middle ends there for SQLite. Where the pages behind it were moved into the file already, what
 * is left of the log hides them, and file and log do not fit each other any more: then the file alone is the better half.
 */
function chooseSound(path: string, opened: Looked | Error, nowMs: number): { stored: StoredCommits; setAside: string | null } {
  const withLog = opened instanceof Error ? opened : soundness(opened)
  const logBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const alone = logBytes === 0 ? null : lookAlone(path)
  if (alone !== null && (withLog instanceof Error || alone.commit > withLog.commit))
    return { stored: alone, setAside: setLogAside(path, nowMs) }
  if (withLog instanceof Error) throw explained(path, withLog)
  return { stored: withLog, setAside: logBytes === 0 ? null : copyLogAside(path, nowMs) }
}

function explained(path: string, error: Error): Error {
  const { code } = error as { code?: string }
  return code === 'SQLITE_CANTOPEN' ? new DatabaseDamagedError(`${path} or its log cannot be opened`, { cause: error }) : error
}

/** Closes it. */
function soundness({ db, stored }: Looked): StoredCommits | Error {
  try {
    const [first] = db.pragma('integrity_check(1)') as { integrity_check: string }[]
    return first?.integrity_check === 'ok'
      ? stored
      : new DatabaseDamagedError(`${db.name} is damaged (${first?.integrity_check})`)
  } catch (error) {
    return error as Error
  } finally {
    db.close()
  }
}

/** The file without its log, under another name; null where that is not sound, or cannot be seen. */
function lookAlone(path: string): StoredCommits | null {
  const alias = `${path}.alone`
  const removeAlias = () => {
    for (const name of [alias, `${alias}-wal`, `${alias}-shm`]) rmSync(name, { force: true })
  }
  try {
    removeAlias()
    linkSync(path, alias)
    const opened = lookAt(alias)
    if (opened instanceof Error) return null
    const sound = soundness(opened)
    return sound instanceof Error ? null : sound
  } catch {
    // A file system without links.
    return null
  } finally {
    removeAlias()
  }
}

/** Only where no analyzer reads through it: that one would go on with what was taken away. */
function setLogAside(path: string, nowMs: number): string {
  const release = takeAnalyzersPlace(path)
  try {
    const aside = asideName(path, nowMs)
    renameSync(`${path}-wal`, aside)
    rmSync(`${path}-shm`, { force: true })
    return aside
  } finally {
    release()
  }
}

function takeAnalyzersPlace(path: string): () => void {
  try {
    return takeFolder(dirname(path), 'analyzer')
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error
    throw new DatabaseDamagedError(
      `${path}-wal is damaged, and an analyzer reads it; stop the analyzer, start the collector, then the analyzer`,
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
