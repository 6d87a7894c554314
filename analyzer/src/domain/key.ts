import { crc32 } from 'node:zlib'

/** The three keys that a project gets. A dashboard key rides in a link's fragment and only reads. */
export const KEY_KINDS = {
  producer: { prefix: 'lk_ingest_', scopes: ['telemetry:write'] },
  agent: { prefix: 'lk_agent_', scopes: ['runs:write', 'telemetry:read', 'dashboard:read', 'reports:read'] },
  dashboard: { prefix: 'lk_dashboard_', scopes: ['dashboard:read', 'reports:read', 'telemetry:read'] },
} as const

export type KeyKind = keyof typeof KEY_KINDS

/** Random bytes in a key: 256 bits. */
export const KEY_BYTES = 32

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Digits that hold 256 bits in base 62. */
const SECRET_DIGITS = 43
/** Digits that hold 32 bits in base 62. */
const CHECKSUM_DIGITS = 6
const KEY_FORM = new RegExp(`^lk_(ingest|agent|dashboard)_[0-9A-Za-z]{${SECRET_DIGITS + CHECKSUM_DIGITS}}$`)

/**
 * A key from 256 random bits: prefix, the bits in base 62, and a CRC-32 of all before it in base 62.
 * Prefix and checksum let scanners of leaked secrets know a key when they see one; neither is part of the secret.
 */
export function formatKey(kind: KeyKind, bytes: Uint8Array): string {
  const body = KEY_KINDS[kind].prefix + toBase62(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), SECRET_DIGITS)
  return body + checksum(body)
}

/** Whether the text has the form of a key and a checksum that fits: it may still be nobody's. */
export function isKeyShaped(text: string): boolean {
  return KEY_FORM.test(text) && text.slice(-CHECKSUM_DIGITS) === checksum(text.slice(0, -CHECKSUM_DIGITS))
}

function checksum(text: string): string {
  return toBase62(BigInt(crc32(text)), CHECKSUM_DIGITS)
}

function toBase62(value: bigint, digits: number): string {
  let text = ''
  for (let rest = value, at = 0; at < digits; at += 1, rest /= 62n) text = ALPHABET[Number(rest % 62n)] + text
  return text
}
