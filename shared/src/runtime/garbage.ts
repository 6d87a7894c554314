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
   * is idle then keeps them: this collects what is young, or else everything, once so much was added since. Inside, a heap that
   * was never looked through may grow by hundreds of megabytes, and marking in small steps needs an event loop that turns,
   * which the writer has not: it held 75 MB after a million spans, of which 12 were in use.
   */
  afterWork(): void
}

const ADDED_MAX_BYTES = 8 * 1024 ** 2
const HELD_MAX_BYTES = 24 * 1024 ** 2
/** Inside the heap. */
const GROWN_MAX_BYTES = 12 * 1024 ** 2

export function createGarbageCollector(): GarbageCollector {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  const minor = () => gc({ type: 'minor' })
  const full = () => gc()
  const held = () => {
    const { external_memory: outside, used_heap_size: inside } = getHeapStatistics()
    return { outside, inside }
  }
  let left = held()
  return {
    minor,
    full,
    afterWork() {
      const before = held()
      if (before.inside - left.inside < GROWN_MAX_BYTES && before.outside - left.outside < ADDED_MAX_BYTES) return
      minor()
      const { inside: grown, outside: added } = held()
      const isFull = grown - left.inside >= GROWN_MAX_BYTES || added - left.outside >= HELD_MAX_BYTES
      if (isFull) full()
      const { outside, inside } = held()
      left = { outside: Math.min(outside, left.outside + ADDED_MAX_BYTES), inside: isFull ? inside : left.inside }
    },
  }
}
