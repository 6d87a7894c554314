import { createBodyBlocks } from './body-blocks.ts'
import { createProjectShares, type ProjectShare, type ProjectShares } from './project-shares.ts'

/** Bytes of bodies under way: received, decompressed, transcoded and not yet committed. */
export interface InFlight {
  /**
   * Room for a body of so many bytes. Answers at once where there is room and the project has not had its share, else
   * waits for it, at most `waitMaxMs`, project by project in turn (one has half of all at most); null means that there was none, and the request is
   * refused unread.
   */
  acquire(projectNo: number, bytes: number): Promise<Room | null>
  /** So many bytes have come from the network. */
  noteReceived(bytes: number): void
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
/** Requests of a project, and of all, that may wait for room; more would only wait in vain. */
const PROJECT_WAITING_MAX = 128
const WAITING_MAX = 512
/** All of the room while memory is short: enough to go on, one usual body after the other. */
const PRESSED_BYTES = 2 * 1024 ** 2

export interface InFlightOptions {
  maxBytes: number
  monotonicMs(): number
  /** Whether the process holds more memory than it should. */
  isPressed?(): boolean
  onReceived?(bytes: number): void
  waitMaxMs?: number
}

interface Waiting {
  bytes: number
  admit(room: Room): void
}

export function createInFlight(options: InFlightOptions): InFlight {
  const rooms = new Rooms(options)
  return {
    bytes: () => rooms.bytes(),
    acquire: (projectNo, bytes) => rooms.acquire(projectNo, bytes),
    noteReceived: options.onReceived ?? (() => {}),
  }
}

class Rooms {
  /** Of usual bodies, and of the one large one. */
  #used = 0
  #usedByLarge = 0
  readonly #options: Required<Omit<InFlightOptions, 'onReceived'>>
  readonly #blocks = createBodyBlocks()
  readonly #shares: ProjectShares<Waiting>
  #largeTaken = false
  #waiting = 0

  constructor(options: InFlightOptions) {
    this.#options = { isPressed: () => false, waitMaxMs: WAIT_MAX_MS, ...options }
    const half = options.maxBytes / 2
    this.#shares = createProjectShares({ aloneBytes: half, togetherBytes: half, leastBytes: half }, options.monotonicMs)
  }

  bytes(): number {
    return this.#used + this.#usedByLarge
  }

  acquire(projectNo: number, bytes: number): Promise<Room | null> {
    const share = this.#shares.of(projectNo)
    // Whoever came first and still waits goes first.
    if (share.waiting.size === 0 && this.#fits(share, bytes)) return Promise.resolve(this.#take(share, bytes))
    const mayWait = this.#waiting < WAITING_MAX && share.waiting.size < PROJECT_WAITING_MAX
    return mayWait ? this.#waitForRoom(share, bytes) : Promise.resolve(null)
  }

  #isLarge(bytes: number): boolean {
    return bytes > Math.min(LARGE_BODY_MIN_BYTES, this.#options.maxBytes)
  }

  #fits(share: ProjectShare<Waiting>, bytes: number): boolean {
    if (this.#options.isPressed()) return this.bytes() === 0 || this.bytes() + bytes <= PRESSED_BYTES
    if (this.#isLarge(bytes)) return !this.#largeTaken
    return this.#used + bytes <= this.#options.maxBytes && this.#shares.allows(share, bytes)
  }

  #take(share: ProjectShare<Waiting>, bytes: number): Room {
    const large = this.#isLarge(bytes)
    const blocks = this.#blocks
    let held = 0
    let released = false
    let body: Uint8Array | null = null
    const hold = (more: number) => {
      held += more
      if (large) this.#usedByLarge += more
      else {
        this.#used += more
        share.used += more
      }
    }
    if (large) this.#largeTaken = true
    hold(bytes)
    return {
      grow(more) {
        if (!released) hold(more)
      },
      memory(size) {
        body = blocks.take(size)
        return body
      },
      moveTo(moved) {
        body = moved
      },
      release: () => {
        if (released) return
        released = true
        if (body) blocks.give(body)
        if (large) this.#largeTaken = false
        hold(-held)
        this.#wakeWaiting()
      },
    }
  }

  #wakeWaiting(): void {
    while (this.#waiting > 0) {
      const woken = this.#shares.nextInTurn((share, one) => this.#fits(share, one.bytes))
      if (!woken) return
      this.#waiting--
      woken.one.admit(this.#take(woken.share, woken.one.bytes))
    }
  }

  /** Stands in line until somebody admits it, at most so long; then it leaves the line with nothing. */
  #waitForRoom(share: ProjectShare<Waiting>, bytes: number): Promise<Room | null> {
    this.#waiting++
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        share.waiting.delete(one)
        this.#waiting--
        resolve(null)
      }, this.#options.waitMaxMs)
      const one: Waiting = {
        bytes,
        admit(room) {
          clearTimeout(timer)
          resolve(room)
        },
      }
      share.waiting.add(one)
    })
  }
}
