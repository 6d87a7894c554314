import { type ByteKeys, createByteKeys, startsWith } from './byte-keys.ts'

/** Which attributes a reader wants. Made once, asked per attribute with the bytes of its key. */
export interface AttributeFilter {
  keys: ByteKeys
  /** By first byte; 256 holds the empty prefix, which wants everything. */
  prefixes: readonly (readonly Uint8Array[] | undefined)[]
  /** Longer texts are cut there, between characters: who judges many traces at once must know how much memory that takes. */
  textMaxBytes: number
}

/** Wants the keys that are in `exactKeys` or start with one of `prefixes`; texts whole, unless told otherwise. */
export function createAttributeFilter(
  exactKeys: Iterable<string>,
  prefixes: Iterable<string>,
  textMaxBytes = Number.POSITIVE_INFINITY,
): AttributeFilter {
  const byFirst: Uint8Array[][] = []
  for (const prefix of prefixes) {
    const bytes = new TextEncoder().encode(prefix)
    const first = bytes[0] ?? 256
    byFirst[first] = [...(byFirst[first] ?? []), bytes]
  }
  return {
    keys: createByteKeys([...new Set(exactKeys)]),
    prefixes: Array.from({ length: 257 }, (_, first) => byFirst[first]),
    textMaxBytes,
  }
}

/** Whether the key that these bytes spell is wanted by its prefix; exact keys are found by `findByteKey`. */
export function wantsPrefix(filter: AttributeFilter, body: Uint8Array, start: number, end: number): boolean {
  if (filter.prefixes[256] !== undefined) return true
  if (start === end) return false
  const candidates = filter.prefixes[body[start]!]
  if (candidates === undefined) return false
  for (const prefix of candidates) if (end - start >= prefix.length && startsWith(body, start, prefix)) return true
  return false
}
