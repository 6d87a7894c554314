import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { createFolder } from '@loopkit/shared/runtime/data-folder'

/** Two collectors must not share a folder: what one has seen the other would store again. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError'
}

/**
 * Creates the data folder and takes it for this process alone, until the answer is called. The lock is SQLite's own on a
 * small file of its own, so it ends with the process however that ends.
 */
export function claimFolder(dataDir: string): () => void {
  createFolder(join(dataDir, 'run'))
  accessSync(dataDir, constants.W_OK | constants.X_OK)
  const lock = takeLock(join(dataDir, 'run', 'collector.lock'))
  if (!lock) throw new FolderInUseError(`another collector uses ${dataDir}`)
  return () => {
    lock.exec('rollback')
    lock.close()
  }
}

/** null: another process holds it. */
function takeLock(path: string): SqliteDatabase | null {
  let lock: SqliteDatabase | null = null
  try {
    lock = openDatabase(path, { role: 'writer', busyTimeoutMs: 0, synchronous: 'OFF' })
    lock.exec('begin immediate')
    return lock
  } catch (error) {
    lock?.close()
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return null
    throw error
  }
}
