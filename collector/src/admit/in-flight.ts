import { createBodyBlocks } from './body-blocks.ts'

/** Bytes of bodies under way: received, decompressed, transcoded and not yet committed. */
export interface InFlight {
  /**
   * Room for a body of so many bytes. Answers at once where there is room, else waits for it in order of arrival, at
   * most `waitMaxMs`; null means that there was none, and the request is refused unread.
   */
  acquire(bytes: number): Promise<Room | null>
  bytes(): number
}

/** A body's share. Released once, by whoever ends the request. */
export interface Room {
  /** The body turned out to take more, after decompression or because its length was not announced. Never refused. */
  grow(bytes: number): void
  /** Memory for the body, not zeroed; it may be moved to a worker. It is another body's after `release`. */
  memory(bytes: number): Uint8Array
  /** The body lies here now; this memory too is another body's after `release`. */
  moveTo(body: Uint8Array): void
  release(): void
}

/** Bodies from here on come one at a time and beside the others' room, so that one may be larger than all of it. */
const LARGE_BODY_MIN_BYTES = 16 * 1024 ** 2
const WAIT_MAX_MS = 2000
/** Requests that may wait for room; more would only wait in vain. */
const WAITING_MAX = 256

export interface InFlightOptions {
  maxBytes: number
  waitMaxMs?: number
}

interface Waiting {
  bytes: number
  admit(room: Room): void
}

export function createInFlight({ maxBytes, waitMaxMs = WAIT_MAX_MS }: InFlightOptions): InFlight {
  let used = 0
  let largeTaken = false
  const blocks = createBodyBlocks()
  const waiting = new Set<Waiting>()

  const isLarge = (bytes: number) => bytes > Math.min(LARGE_BODY_MIN_BYTES, maxBytes)
  const fits = (bytes: number) => (isLarge(bytes) ? !largeTaken : used + bytes <= maxBytes)

  function take(bytes: number): Room {
    const large = isLarge(bytes)
    let held = bytes
    let released = false
    let body: Uint8Array | null = null
    if (large) largeTaken = true
    used += held
    return {
      grow(more) {
        if (released) return
        held += more
        used += more
      },
      memory(size) {
        body = blocks.take(size)
        return body
      },
      moveTo(moved) {
        body = moved
      },
      release() {
        if (released) return
        released = true
        if (body) blocks.give(body)
        used -= held
        if (large) largeTaken = false
        wakeWaiting()
      },
    }
  }

  function wakeWaiting(): void {
    for (const one of waiting) {
      if (!fits(one.bytes)) continue
      waiting.delete(one)
      one.admit(take(one.bytes))
    }
  }

  return {
    bytes: () => used,
    acquire(bytes) {
      if (fits(bytes)) return Promise.resolve(take(bytes))
      return waiting.size < WAITING_MAX ? waitForRoom(waiting, bytes, waitMaxMs) : Promise.resolve(null)
    },
  }
}

/** Stands in line until somebody admits it, at most so long; then it leaves the line with nothing. */
function waitForRoom(waiting: Set<Waiting>, bytes: number, waitMaxMs: number): Promise<Room | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      waiting.delete(one)
      resolve(null)
    }, waitMaxMs)
    const one: Waiting = {
      bytes,
      admit(room) {
        clearTimeout(timer)
        resolve(room)
      },
    }
    waiting.add(one)
  })
}
