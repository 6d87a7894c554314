import { randomFillSync } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from 'node:fs'

/**
 * A second file that only takes up space: room for what lies in the write-ahead log and not in the file yet, where that is more
 * than the ballast has room for. A reader that takes long, a backup for one, lets the log grow so; were the disk full at its
 * end, the log could not be moved, and nothing could be deleted.
 */
export interface LogReserve {
  /** Comes nearer to this size; true when it is reached. Throws ENOSPC, keeping what it has. */
  hold(bytes: number): boolean
  bytes(): number
  remove(): void
}

/** Written between two turns of other work. */
const CHUNK_BYTES = 8 * 1024 ** 2

export function createLogReserve(path: string): LogReserve {
  const size = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0

  function change(bytes: number, held: number): void {
    const file = openSync(path, held === 0 ? 'w' : 'r+', 0o600)
    try {
      if (bytes < held) ftruncateSync(file, bytes)
      // Random, since some file systems keep no blocks for what compresses away.
      else writeSync(file, randomFillSync(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - held))), 0, null, held)
    } finally {
      closeSync(file)
    }
  }

  return {
    hold(bytes) {
      const held = size()
      if (bytes === held) return true
      if (bytes === 0) rmSync(path, { force: true })
      else change(bytes, held)
      return size() === bytes
    },
    bytes: size,
    remove: () => rmSync(path, { force: true }),
  }
}
