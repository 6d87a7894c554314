import { join } from 'node:path'
import { createFolder } from '../../runtime/data-folder.ts'
import { openLockFile } from '../open.ts'

/** Two collectors must not share a folder, and nobody runs on one that is being restored. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError'
}

export type Service = 'collector' | 'analyzer'

/** How long a start waits for somebody's look at the lock to end, in ms. */
const TAKE_WAIT_MS = 200
const SHARE_WAIT_MS = 2_000

/**
 * Takes the service's place in the folder for this process alone, until the answer is called. The lock is SQLite's own on a
 * small file of its own, so it ends with the process however that ends.
 */
export function takeFolder(dataDir: string, service: Service): () => void {
  return lock(dataDir, service, 'begin exclusive', TAKE_WAIT_MS)
}

/** Several analyzers may run on one folder: each holds a share of the place. */
export function shareFolder(dataDir: string, service: Service): () => void {
  return lock(dataDir, service, 'begin; select count(*) from sqlite_master', SHARE_WAIT_MS)
}

function lock(dataDir: string, service: Service, statement: string, waitMs: number): () => void {
  createFolder(join(dataDir, 'run'))
  const file = openLockFile(join(dataDir, 'run', `${service}.lock`), waitMs)
  try {
    file.exec(statement)
  } catch (error) {
    file.close()
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error
    throw new FolderInUseError(`another ${service} uses ${dataDir}, or it is being restored`)
  }
  return () => {
    file.exec('rollback')
    file.close()
  }
}
