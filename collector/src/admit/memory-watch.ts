import type { GarbageCollector } from '@loopkit/shared/runtime/garbage'

/** Keeps the process's memory near what it needs, and says when it is beyond. */
export interface MemoryWatch {
  /** More than the soft limit is held: large and many bodies have to wait. */
  isPressed(): boolean
  /** So many bytes have come from the network. */
  noteReceived(bytes: number): void
  stop(): void
}

/**
 * The pieces in which the network hands bodies over are garbage at once, outside the heap, where V8 hardly sees them: they
 * are collected after so many bytes. A collection of what is young takes less than a millisecond; V8 counts what lies outside
 * towards the limit of the heap, and with 8 MB of it marked everything eight times a second (200,000 instead of 237,000 spans/s).
 */
const MINOR_AFTER_BYTES = 1024 ** 2
const LOOK_EVERY_MS = 100
/** A full collection stops this thread for some 20 ms: not more often than so, in ms. */
const FULL_EVERY_MS = 1_000

export interface MemoryWatchOptions {
  softLimitBytes: number
  garbage: Pick<GarbageCollector, 'minor' | 'full'>
  rssBytes(): number
  monotonicMs(): number
  /** The soft limit was passed, one way or the other. */
  onPressed(isPressed: boolean, rssBytes: number): void
}

export function createMemoryWatch(options: MemoryWatchOptions): MemoryWatch {
  const { softLimitBytes, garbage, rssBytes, monotonicMs, onPressed } = options
  let pressed = false
  let received = 0
  let fullMs = Number.NEGATIVE_INFINITY
  const look = () => {
    const rss = readOrNull(rssBytes)
    if (rss === null) return
    const isOver = rss > softLimitBytes
    if (isOver && monotonicMs() - fullMs >= FULL_EVERY_MS) {
      fullMs = monotonicMs()
      garbage.full()
    }
    if (isOver === pressed) return
    pressed = isOver
    onPressed(pressed, rss)
  }
  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  return {
    isPressed: () => pressed,
    noteReceived(bytes) {
      received += bytes
      if (received < MINOR_AFTER_BYTES) return
      received = 0
      garbage.minor()
    },
    stop: () => clearInterval(timer),
  }
}

/** Linux answers from a file of its own: where no more can be opened, nothing is known until one is closed. */
function readOrNull(rssBytes: () => number): number | null {
  try {
    return rssBytes()
  } catch {
    return null
  }
}
