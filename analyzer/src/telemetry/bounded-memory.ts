/** What was worked out before, by what it follows from: those asked last, within a number of bytes. */
export interface BoundedMemory<V> {
  recall(key: string): V | undefined
  keep(key: string, value: V, bytes: number): void
}

/** What an entry takes beside its value: the map's row and the key. */
const ENTRY_BYTES = 150

/** Nothing is kept that takes more than a quarter of the whole; with no bytes at all nothing is kept. */
export function createBoundedMemory<V>(maxBytes: number): BoundedMemory<V> {
  const known = new Map<string, { value: V; bytes: number }>()
  let held = 0
  const forget = (key: string) => {
    const entry = known.get(key)
    if (entry === undefined) return
    known.delete(key)
    held -= entry.bytes
  }
  return {
    recall(key) {
      const entry = known.get(key)
      if (entry === undefined) return undefined
      known.delete(key)
      known.set(key, entry)
      return entry.value
    },
    keep(key, value, valueBytes) {
      forget(key)
      const bytes = valueBytes + ENTRY_BYTES
      if (bytes > maxBytes / 4) return
      known.set(key, { value, bytes })
      held += bytes
      for (const oldest of known.keys()) {
        if (held <= maxBytes) break
        forget(oldest)
      }
    },
  }
}
