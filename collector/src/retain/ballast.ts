import { randomFillSync } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'

/** A file that only takes up space: removed first when the disk is full, so that there is room to delete. */
export interface Ballast {
  isThere(): boolean
  /** Writes some more of it; true when it is whole. Throws ENOSPC, with nothing left behind. */
  layMore(bytes: number): boolean
  remove(): void
}

/** Written between two turns of other work. */
const CHUNK_BYTES = 2 * 1024 ** 2

export function createBallast(path: string): Ballast {
  const unfinished = `${path}.part`
  let written = 0
  let chunk: Buffer | null = null
  rmSync(unfinished, { force: true })

  function remove(): void {
    written = 0
    rmSync(unfinished, { force: true })
    rmSync(path, { force: true })
  }

  return {
    isThere: () => statSync(path, { throwIfNoEntry: false }) !== undefined,
    layMore(bytes) {
      if (statSync(path, { throwIfNoEntry: false })?.size === bytes) return true
      try {
        // Random, since some file systems keep no blocks for what compresses away.
        chunk ??= randomFillSync(Buffer.allocUnsafe(CHUNK_BYTES))
        const file = openSync(unfinished, written === 0 ? 'w' : 'a', 0o600)
        try {
          written += writeSync(file, chunk, 0, Math.min(CHUNK_BYTES, bytes - written))
          // By itself, or the next commit would wait for all of it to reach the disk.
          fdatasyncSync(file)
        } finally {
          closeSync(file)
        }
      } catch (error) {
        remove()
        throw error
      }
      if (written < bytes) return false
      renameSync(unfinished, path)
      written = 0
      chunk = null
      return true
    },
    remove,
  }
}
