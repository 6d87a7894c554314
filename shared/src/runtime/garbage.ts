import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Runs the garbage collector of this thread. */
export interface GarbageCollector {
  /** What was made lately, less than a millisecond: memory of the network and of bodies mostly dies young. */
  minor(): void
  /** Everything: some 10 ms in a thread with a small heap. */
  full(): void
  /**
   * To be called between two pieces of work. V8 lets each thread gather 64 MB outside its heap before it looks, and one that
   * is idle then keeps them: this collects what is young, or else everything, once so much was added since.
   */
  afterWork(): void
}

const ADDED_MAX_BYTES = 8 * 1024 ** 2
const HELD_MAX_BYTES = 24 * 1024 ** 2

export function createGarbageCollector(): GarbageCollector {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  const minor = () => gc({ type: 'minor' })
  const full = () => gc()
  const outside = () => getHeapStatistics().external_memory
  let left = outside()
  return {
    minor,
    full,
    afterWork() {
      if (outside() - left < ADDED_MAX_BYTES) return
      minor()
      if (outside() - left >= HELD_MAX_BYTES) full()
      left = Math.min(outside(), left + ADDED_MAX_BYTES)
    },
  }
}
