/** What was found for keys, for as long as control.db is as it was when they were looked up. */
export interface KeyMemo<T> {
  /** What `find` answered for this key, now or before. Only what was found is remembered. Throws what `find` throws. */
  get(key: string): T | undefined
}

/** Keys remembered; the one that was remembered first goes first. */
const KEYS_MAX = 1_000

export interface KeyMemoDeps<T> {
  find(key: string): T | undefined
  /** Grows with every change that another connection commits: `pragma data_version`. */
  readVersion(): number
  /** Calls back when what came in together was handed out: at the end of this turn of the event loop. */
  onTurnEnd(callback: () => void): void
}

/**
 * The file is asked once in each turn of the event loop whether it has changed: requests of one turn came in together, and
 * a revoked key is dead on the next one. With 16 connections of small bodies a look-up each was 20 of 170 µs a body
 * (measured, hash included).
 */
export function createKeyMemo<T>({ find, readVersion, onTurnEnd }: KeyMemoDeps<T>): KeyMemo<T> {
  const found = new Map<string, T>()
  let version: number | null = null
  let isAsked = false
  const turnEnds = () => {
    isAsked = false
  }

  function forgetIfChanged(): void {
    if (isAsked) return
    const now = readVersion()
    if (now !== version) found.clear()
    version = now
    isAsked = true
    onTurnEnd(turnEnds)
  }

  return {
    get(key) {
      forgetIfChanged()
      const known = found.get(key)
      if (known !== undefined) return known
      const row = find(key)
      if (row === undefined) return undefined
      if (found.size >= KEYS_MAX) found.delete(found.keys().next().value!)
      found.set(key, row)
      return row
    },
  }
}
