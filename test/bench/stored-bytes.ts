import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@loopkit/shared/database/open'

/** What the spans themselves take, compressed; the folder also holds indexes and a log that is written over again. */
export function segmentBytes(dataDir: string): number {
  const db = openDatabase(join(dataDir, 'telemetry.db'), { role: 'reader' })
  const { bytes } = db.prepare('select coalesce(sum(length(body)), 0) as bytes from segment').get() as { bytes: number }
  db.close()
  return bytes
}

/** All files below a folder. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
