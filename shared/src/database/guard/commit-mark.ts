import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { writeDurably } from '../../runtime/durable-file.ts'

/**
 * The last commit of a database, kept in a small file beside it. Written after each commit without fsync: after a power cut it
 * may lag, it never leads. So a database that is behind its mark has lost commits that were acknowledged.
 */
export interface CommitMark {
  /** Which database it is of: another one in its place has other numbers. */
  store: string
  number: number
  /** When that commit arrived, in ms since the epoch. */
  atMs: number
}

/** Keeps the mark of one database up to date. */
export interface MarkWriter {
  /**
   * Throws SyncDoubtedError where the disk turned out to be read-only or failing, and for nothing else: a mark that lags alarms
   * nobody.
   */
  note(number: number, atMs: number, store?: string): void
  close(): void
}

/**
 * The commit that was just answered as stored may be gone, and must not be acknowledged. In the moment in which ext4 turns
 * read-only after an error, Linux (6.18, one time in five) answers the fdatasync of a file that grew with success though its new
 * end is lost; the first write after it fails. To whoever commits it is a failed fsync that is told one call late.
 */
export class SyncDoubtedError extends Error {
  readonly code = 'SQLITE_IOERR_FSYNC'
}

/** One length for all, so that writing in place never leaves the end of a longer one. Fits a sector. */
const MARK_BYTES = 96
const HEAD = 'loopkit-commit 1'

/** `<data>/telemetry.db` → `<data>/telemetry.commit`. */
export function commitMarkPath(databasePath: string): string {
  return databasePath.replace(/\.db$/, '.commit')
}

export function encodeCommitMark({ store, number, atMs }: CommitMark): Uint8Array {
  const text = `${HEAD} ${store} ${number} ${atMs}`
  const sum = crc32(text).toString(16).padStart(8, '0')
  return Buffer.from(`${`${text} ${sum}`.padEnd(MARK_BYTES - 1)}\n`)
}

/** null where it is none, or torn: then nothing is known. */
export function decodeCommitMark(bytes: Uint8Array): CommitMark | null {
  const found = /^(loopkit-commit 1 ([0-9a-f]{1,32}) (\d{1,16}) (\d{1,16})) ([0-9a-f]{8}) *\n$/.exec(
    Buffer.from(bytes).toString('latin1'),
  )
  if (!found || crc32(found[1]!) !== Number.parseInt(found[5]!, 16)) return null
  return { store: found[2]!, number: Number(found[3]), atMs: Number(found[4]) }
}

/** null where there is none that can be read. */
export function readCommitMark(databasePath: string): CommitMark | null {
  try {
    return decodeCommitMark(readFileSync(commitMarkPath(databasePath)))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR') return null
    throw error
  }
}

/** Puts a mark in place and on disk, at a start or a restore. */
export function layCommitMark(databasePath: string, mark: CommitMark): void {
  writeDurably(commitMarkPath(databasePath), encodeCommitMark(mark))
}

/** As `layCommitMark`, at a start: a full disk must not hinder one, since only a running service clears it. The mark lags then. */
export function layMarkAtStart(databasePath: string, mark: CommitMark): void {
  try {
    layCommitMark(databasePath, mark)
  } catch (error) {
    if (!/^(ENOSPC|EDQUOT)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** Over a mark that was laid. */
export function createMarkWriter(databasePath: string, store: string, write: typeof writeSync = writeSync): MarkWriter {
  const path = commitMarkPath(databasePath)
  let file: number | null = null
  return {
    note(number, atMs, storeNow = store) {
      try {
        file ??= openSync(path, 'r+')
        write(file, encodeCommitMark({ store: storeNow, number, atMs }), 0, MARK_BYTES, 0)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EROFS' || code === 'EIO') throw new SyncDoubtedError(`the disk failed right after a commit (${code})`)
        // A full disk: the commit itself is on it, the mark lags until the next one.
      }
    },
    close() {
      if (file !== null) closeSync(file)
      file = null
    },
  }
}
