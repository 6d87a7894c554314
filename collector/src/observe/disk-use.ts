import { readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of telemetry.db and its side files; 0 where they cannot be read. */
export function diskBytes(dataDir: string): number {
  try {
    return readdirSync(dataDir)
      .filter((name) => name.startsWith('telemetry.db'))
      .reduce((sum, name) => sum + statSync(join(dataDir, name)).size, 0)
  } catch {
    return 0
  }
}

/** Bytes of the write-ahead log; 0 where there is none. */
export function walBytes(dataDir: string): number {
  return statSync(join(dataDir, 'telemetry.db-wal'), { throwIfNoEntry: false })?.size ?? 0
}

/** Bytes that may still be written to the data folder; 0 where that cannot be told. */
export function freeBytes(dataDir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dataDir)
    return bavail * bsize
  } catch {
    return 0
  }
}
