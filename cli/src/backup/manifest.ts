import { createHash } from 'node:crypto'
import { ExitError, FOLDER_EXIT } from '../exit-error.ts'

/** What a backup holds, written last: a set without it is not whole. */
export interface BackupManifest {
  format: 'loopkit-backup'
  format_version: number
  created_at: string
  product_version: string
  telemetry: DatabaseFacts
  control: DatabaseFacts
  files: BackupFile[]
  /** SHA-256 over everything above. */
  digest: string
}

/** What tells one state of a database from another. */
export interface DatabaseFacts {
  schema: number
  schema_name: string
  /** telemetry.db: which file this is among others. control.db: the hash of its last change. */
  store: string
  /** telemetry.db: number of the last commit. control.db: number of the last change. */
  last_commit: number
  last_at: string | null
}

export interface BackupFile {
  /** Below the data folder, with `/`. */
  path: string
  bytes: number
  sha256: string
}

export const MANIFEST_FILE = 'manifest.json'
export const DATABASE_FILES = ['control.db', 'telemetry.db'] as const
export const SECRETS_FOLDER = 'secrets'
const FORMAT_VERSION = 1

export function sealManifest(content: Omit<BackupManifest, 'format' | 'format_version' | 'digest'>): BackupManifest {
  const whole = { format: 'loopkit-backup', format_version: FORMAT_VERSION, ...content } as const
  return { ...whole, digest: digestOf(whole) }
}

/** Throws ExitError where it is none of ours, was altered, or names files outside of the set. */
export function parseManifest(text: string): BackupManifest {
  const parsed = parseJson(text) as Partial<BackupManifest> | null
  if (parsed?.format !== 'loopkit-backup') throw damaged('it is no manifest of a LoopKit backup')
  if ((parsed.format_version ?? 0) > FORMAT_VERSION)
    throw new ExitError(
      FOLDER_EXIT.newer,
      `backup_newer: format ${parsed.format_version} is of a newer LoopKit; restore it with that version`,
    )
  const { digest, ...content } = parsed as BackupManifest
  if (digest !== digestOf(content)) throw damaged('it was altered')
  if (!Array.isArray(parsed.files) || !parsed.telemetry || !parsed.control) throw damaged('it is not whole')
  const names = parsed.files.map(({ path }) => path)
  if (!names.every(isFileOfSet) || new Set(names).size !== names.length) throw damaged('it names files that are none of a backup')
  for (const name of DATABASE_FILES) if (!names.includes(name)) throw damaged(`it names no ${name}`)
  return parsed as BackupManifest
}

export function isFileOfSet(path: string): boolean {
  return (DATABASE_FILES as readonly string[]).includes(path) || /^secrets\/[\w.-]*\w[\w.-]*$/.test(path)
}

function damaged(why: string): ExitError {
  return new ExitError(FOLDER_EXIT.damaged, `backup_damaged: ${MANIFEST_FILE}: ${why}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw damaged('it is no JSON')
  }
}

function digestOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
