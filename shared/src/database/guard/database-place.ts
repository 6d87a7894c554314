import { closeSync, existsSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type CommitMark, commitMarkPath } from './commit-mark.ts'

/** What lies where a database belongs is none, or not whole. It is left as it is, and nothing is put in its place. */
export class DatabaseDamagedError extends Error {
  override readonly name = 'DatabaseDamagedError'
}

/** Left in the data folder while a restore puts files in place: whoever starts in between would begin an empty instance. */
export const RESTORE_UNFINISHED_FILE = 'restore.unfinished'

const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100

/**
 * Looks at the place of a database before SQLite does, which makes an empty one where the file is gone or was cut to nothing.
 * Answers whether there is one; throws DatabaseDamagedError where there should be one and is not.
 */
export function checkDatabasePlace(path: string, mark: CommitMark | null): 'present' | 'absent' {
  const name = basename(path)
  if (existsSync(join(dirname(path), RESTORE_UNFINISHED_FILE)))
    throw new DatabaseDamagedError(`a restore into ${dirname(path)} was not finished; run "loopkit restore" again`)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.isFile() && found.size === 0)) {
    refuseLost(path, found, mark)
    return 'absent'
  }
  for (const part of [path, `${path}-wal`, `${path}-shm`])
    if (statSync(part, { throwIfNoEntry: false })?.isFile() === false) throw new DatabaseDamagedError(`${part} is no file`)
  if (found.size < HEADER_BYTES || readHead(path) !== MAGIC)
    throw new DatabaseDamagedError(`${path} is no database: its first page is damaged, or another file lies there`)
  if (mark === null && existsSync(commitMarkPath(path)) && statSync(commitMarkPath(path)).isDirectory())
    throw new DatabaseDamagedError(`${name.replace('.db', '.commit')} is a directory`)
  return 'present'
}

/** Nothing there is a first start, unless something says that there was a database with content. */
function refuseLost(path: string, found: Stats | undefined, mark: CommitMark | null): void {
  const what = found === undefined ? 'is gone' : 'is empty'
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  const why =
    mark !== null && mark.number > 0
      ? `though ${mark.number} commits were stored in it`
      : log !== undefined && log.size > 0
        ? 'though its write-ahead log is there'
        : null
  if (why === null) return
  throw new DatabaseDamagedError(
    `${path} ${what}, ${why}; restore a backup, or move what is left of it (${basename(path)}*, ${basename(commitMarkPath(path))}) elsewhere to begin anew`,
  )
}

function readHead(path: string): string {
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(MAGIC.length)
    readSync(file, head, 0, head.length, 0)
    return head.toString('latin1')
  } finally {
    closeSync(file)
  }
}
