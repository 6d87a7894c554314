import type { Caller } from '../receive/authenticate.ts'

/** When keys were last used, to be written with the next commit. */
export interface KeyUses {
  note(caller: Caller): void
  drain(): [keyHash: Uint8Array, atMs: number][]
  /** What was drained was not written. */
  restore(uses: [keyHash: Uint8Array, atMs: number][]): void
}

/** A key in use is written once in this time, in ms: nobody reads it finer, and every row is a write. */
const NOTED_EVERY_MS = 60_000
const KEYS_MAX = 10_000

export function createKeyUses(nowMs: () => number): KeyUses {
  const noted = new Map<string, number>()
  let waiting: [Uint8Array, number][] = []
  return {
    note({ keyHash }) {
      if (!keyHash) return
      const key = Buffer.from(keyHash.buffer, keyHash.byteOffset, keyHash.byteLength).toString('latin1')
      const now = nowMs()
      if (now - (noted.get(key) ?? Number.NEGATIVE_INFINITY) < NOTED_EVERY_MS) return
      if (noted.size >= KEYS_MAX) noted.clear()
      noted.set(key, now)
      waiting.push([keyHash, now])
    },
    drain() {
      const drained = waiting
      waiting = []
      return drained
    },
    restore(uses) {
      waiting.unshift(...uses)
    },
  }
}
