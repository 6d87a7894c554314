import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** What the data folder takes and has left, as last seen: a disk that hangs must hold up neither a scrape nor the main thread. */
export interface DiskUse {
  /** Bytes of telemetry.db and its side files. */
  diskBytes(): number
  /** Bytes of the write-ahead log. */
  walBytes(): number
  /** Bytes that may still be written. */
  freeBytes(): number
  /** Looks anew; resolves when it has, or after `waitMs` at the latest. Never rejects. */
  look(waitMs?: number): Promise<void>
}

/** A look takes less than a millisecond where the disk answers. */
const WAIT_MS = 100

export function createDiskUse(dataDir: string): DiskUse {
  let seen = { disk: 0, wal: 0, free: 0 }
  let looking: Promise<void> | null = null

  async function lookNow(): Promise<void> {
    try {
      const [files, { bavail, bsize }] = await Promise.all([sizesOf(dataDir), statfs(dataDir)])
      const disk = files.reduce((sum, { bytes }) => sum + bytes, 0)
      seen = { disk, wal: files.find(({ name }) => name === 'telemetry.db-wal')?.bytes ?? 0, free: bavail * bsize }
    } catch {
      // What was last seen stands.
    } finally {
      looking = null
    }
  }

  return {
    diskBytes: () => seen.disk,
    walBytes: () => seen.wal,
    freeBytes: () => seen.free,
    look(waitMs = WAIT_MS) {
      looking ??= lookNow()
      const waited = Promise.withResolvers<void>()
      const timer = setTimeout(waited.resolve, waitMs)
      return Promise.race([looking, waited.promise]).finally(() => clearTimeout(timer))
    },
  }
}

async function sizesOf(dataDir: string): Promise<{ name: string; bytes: number }[]> {
  const names = (await readdir(dataDir)).filter((name) => name.startsWith('telemetry.db'))
  return Promise.all(
    names.map(async (name) => ({
      name,
      // A side file may go between the two looks.
      bytes: await stat(join(dataDir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    })),
  )
}
