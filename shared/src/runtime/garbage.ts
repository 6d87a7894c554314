import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Runs the garbage collector of this thread. */
export interface GarbageCollector {
  /** What was made lately, less than a millisecond: memory of the network and of bodies mostly dies young. */
  minor(): void
  /** Everything: some 10 ms in a thread with a small heap. */
  full(): void
}

export function createGarbageCollector(): GarbageCollector {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  return { minor: () => gc({ type: 'minor' }), full: () => gc() }
}
