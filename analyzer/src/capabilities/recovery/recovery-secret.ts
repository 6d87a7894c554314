import { chmodSync, closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createFolder } from '@loopkit/shared/runtime/data-folder'

/** The file that holds a generated secret belongs to the backup: without it no recovery code is right any more. */
export const RECOVERY_SECRET_FILE = join('secrets', 'recovery.key')

/** The file exists and does not hold a secret: guessing a new one would void every recovery code in use. */
export class RecoverySecretError extends Error {
  override readonly name = 'RecoverySecretError'
}

const SECRET_BYTES = 32
/** The least that counts as a secret, in characters. */
const SECRET_MIN_CHARACTERS = 32
const FILE_MODE = 0o600

export interface RecoverySecretDeps {
  dataDir: string
  /** LOOPKIT_RECOVERY_SECRET. */
  configured: string | null
  randomBytes: (size: number) => Uint8Array
}

/** The HMAC key of recovery codes: the configured one, else the file's, made on first use. Two processes agree on one file. */
export function readRecoverySecret({ dataDir, configured, randomBytes }: RecoverySecretDeps): string {
  if (configured !== null && configured !== '') return configured
  const path = join(dataDir, RECOVERY_SECRET_FILE)
  createFolder(dirname(path))
  const text = readIfThere(path) ?? create(path, hex(randomBytes(SECRET_BYTES)), hex(randomBytes(8)))
  const secret = text.trim()
  if (secret.length < SECRET_MIN_CHARACTERS) throw new RecoverySecretError(`${path} holds no secret; restore it from the backup`)
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, FILE_MODE)
  return secret
}

/** Whole or not at all: written beside, synced, then linked into place, so that a crash leaves no empty secret. */
function create(path: string, secret: string, nonce: string): string {
  const beside = `${path}.${nonce}`
  const file = openSync(beside, 'wx', FILE_MODE)
  try {
    writeSync(file, `${secret}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(beside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(beside)
  }
  syncFolder(dirname(path))
  return readFileSync(path, 'utf8')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
