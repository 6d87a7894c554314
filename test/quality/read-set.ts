import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** A set is there, but holds nothing that its measure could score. */
export class NothingToMeasure extends Error {}

/** The bytes of a file, unpacked where they are packed, whatever its name says. */
export function readBytes(path: string): Buffer {
  const bytes = readFileSync(path)
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}

export const readText = (path: string): string => readBytes(path).toString('utf8')

/** Whoever reads it says what it holds; a file that cannot be read, or is no JSON, is named. */
export function readJsonSet(path: string): unknown {
  try {
    return JSON.parse(readText(path))
  } catch (error) {
    throw new NothingToMeasure(`${path} cannot be read as JSON: ${error instanceof Error ? error.message : error}`)
  }
}

/**
 * The set's file or folder. Another half may be named a little differently (`tau_airline_b.json`, unpacked): else the first of the same
 * kind whose name begins alike. null where there is none.
 */
export function locateSet(folder: string, data: string): string | null {
  const exact = join(folder, data)
  if (existsSync(exact)) return exact
  if (!existsSync(folder)) return null
  const isFile = data.includes('.')
  const stem = data.split('.')[0]!
  const alike = readdirSync(folder)
    .filter((name) => name.startsWith(stem) && statSync(join(folder, name)).isFile() === isFile)
    .sort()
  return alike[0] === undefined ? null : join(folder, alike[0])
}
