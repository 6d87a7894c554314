/** Longer than any key of ours; what is longer is wrong without being hashed. */
const KEY_MAX_CHARACTERS = 256

export type Credentials = { kind: 'none' } | { kind: 'ambiguous' } | { kind: 'wrong' } | { kind: 'key'; key: string }

/**
 * The bearer key of a request. Node keeps the first of two Authorization headers and hides the second, so the raw list
 * (name, value, name, value …) is read: two are ambiguous, since a proxy may have judged by the other.
 */
export function readCredentials(rawHeaders: readonly string[]): Credentials {
  let value: string | null = null
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (name.length !== 13 || name.toLowerCase() !== 'authorization') continue
    if (value !== null) return { kind: 'ambiguous' }
    value = rawHeaders[at + 1]!
  }
  if (value === null) return { kind: 'none' }
  const key = /^bearer ([\x21-\x7e]+)$/i.exec(value)?.[1]
  return key === undefined || key.length > KEY_MAX_CHARACTERS ? { kind: 'wrong' } : { kind: 'key', key }
}
