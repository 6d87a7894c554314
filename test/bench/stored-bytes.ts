import { readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Space held back for a full disk is no data. */
const BALLAST = /ballast/

/** All files below a folder without ballast, the largest first. One that goes away meanwhile counts nothing. */
export function folderBytesByFile(folder: string): { name: string; bytes: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !BALLAST.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: relative(folder, path), bytes: statSync(path, { throwIfNoEntry: false })?.size ?? 0 }))
    .sort((a, b) => b.bytes - a.bytes)
}

export function folderBytes(folder: string): number {
  return folderBytesByFile(folder).reduce((sum, { bytes }) => sum + bytes, 0)
}
