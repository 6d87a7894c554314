import { createHash } from 'node:crypto'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 128 bits: no two things of one project ever share an id by chance. */
const ID_BYTES = 16
/** The fewest base-62 digits that hold 128 bits. */
const ID_DIGITS = 22

/**
 * An id made from what it names: the same parts always give the same id, in every process and version.
 * Parts are hashed with their lengths, so ('ab', 'c') and ('a', 'bc') differ.
 */
export function opaqueId(prefix: string, ...parts: (string | Uint8Array)[]): string {
  return prefix + toBase62(hashOf(parts).subarray(0, ID_BYTES))
}

/** SHA-256 in hex over the parts, each with its length. */
export function digestOf(...parts: (string | Uint8Array)[]): string {
  return hashOf(parts).toString('hex')
}

function hashOf(parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part
    hash.update(`${bytes.length}:`).update(bytes)
  }
  return hash.digest()
}

function toBase62(bytes: Uint8Array): string {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (let digit = 0; digit < ID_DIGITS; digit++) {
    text = DIGITS[Number(value % 62n)] + text
    value /= 62n
  }
  return text
}

/** The pain a fingerprint stands for; the same in every window and process. */
export function painIdOf(projectId: string, fingerprint: Uint8Array): string {
  return opaqueId('pain_', projectId, fingerprint)
}
