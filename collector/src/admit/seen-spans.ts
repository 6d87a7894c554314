import type { BloomFilter } from './bloom-filter.ts'

export interface SpanState {
  /** The number of the body that carries it; 0 once it is committed. */
  owner: number
  ended: boolean
  content: number
}

const ENTRY_WORDS = 4
const META = 2
const CONTENT = 3
/** Bits of the meta word; what is above them is the owner. An empty place has meta 0. */
const OCCUPIED = 1
const REMOVED = 2
const ENDED = 4
const OWNER_SHIFT = 3
/** Owners are numbered in a ring of this size, far more than can be pending at once. */
export const OWNERS = 2 ** 28
/** Beyond this share of a generation's places look-ups get slow. */
const LOAD_MAX = 0.62

/**
 * Which spans are stored or about to be, by 64-bit key: every commit since some point (C0), in two generations of typed
 * arrays. When a generation is full the older one is forgotten, and its traces go to `older`, the filter of traces that
 * may have spans from before C0.
 *
 * A place is where an entry lies; it stays the same until the entry's generation is forgotten.
 */
export class SeenSpans {
  readonly #places: number
  readonly #mask: number
  readonly #capacity: number
  readonly #words: Uint32Array
  readonly #older: BloomFilter
  readonly #used: [number, number] = [0, 0]
  readonly #traces: [TraceList, TraceList] = [createTraceList(), createTraceList()]
  #current: 0 | 1 = 0
  #rotations = 0

  /** `placesLog2`: places per generation as a power of two; 16 bytes each. */
  constructor({ placesLog2, older }: { placesLog2: number; older: BloomFilter }) {
    this.#places = 2 ** placesLog2
    this.#mask = this.#places - 1
    this.#capacity = spansPerBodyMax(placesLog2)
    // Written once: else each of the first spans would wait for a page of memory, some 10 µs.
    this.#words = new Uint32Array(this.#places * 2 * ENTRY_WORDS).fill(0)
    this.#older = older
  }

  /** The place of a span, or -1. */
  find(keyLow: number, keyHigh: number): number {
    const place = this.#findIn(this.#current, keyLow, keyHigh)
    return place >= 0 ? place : this.#findIn(1 - this.#current, keyLow, keyHigh)
  }

  /** Enters a span that is not there yet, as pending by `owner`. Call `makeRoom` first. */
  insertPending(keyLow: number, keyHigh: number, content: number, ended: boolean, owner: number): number {
    const words = this.#words
    const base = this.#current * this.#places
    let at = keyLow & this.#mask
    while (words[(base + at) * ENTRY_WORDS + META] !== 0) at = (at + 1) & this.#mask
    const w = (base + at) * ENTRY_WORDS
    words[w] = keyLow
    words[w + 1] = keyHigh
    words[w + META] = OCCUPIED | (ended ? ENDED : 0) | (owner << OWNER_SHIFT)
    words[w + CONTENT] = content
    this.#used[this.#current]++
    return base + at
  }

  stateAt(place: number): SpanState {
    const meta = this.#words[place * ENTRY_WORDS + META]!
    return { owner: meta >>> OWNER_SHIFT, ended: (meta & ENDED) !== 0, content: this.#words[place * ENTRY_WORDS + CONTENT]! }
  }

  setState(place: number, { owner, ended, content }: SpanState): void {
    this.#words[place * ENTRY_WORDS + META] = OCCUPIED | (ended ? ENDED : 0) | (owner << OWNER_SHIFT)
    this.#words[place * ENTRY_WORDS + CONTENT] = content
  }

  /** The span is committed, unless another body has replaced it meanwhile: then that one settles it. */
  settle(place: number, owner: number): void {
    const meta = this.#words[place * ENTRY_WORDS + META]!
    if (meta >>> OWNER_SHIFT === owner) this.#words[place * ENTRY_WORDS + META] = meta & (OCCUPIED | ENDED)
  }

  /** Takes an entry out: its commit failed. Its place is not emptied, since entries behind it would be lost to look-ups. */
  remove(place: number): void {
    this.#words[place * ENTRY_WORDS + META] = REMOVED
  }

  /** Remembers that a trace has spans in the running generation; repeats are welcome. */
  noteTrace(traceLow: number, traceHigh: number): void {
    this.#traces[this.#current].add(traceLow, traceHigh)
  }

  /** Makes room for `count` entries. May forget the older generation: `rotations` then grows by one. */
  makeRoom(count: number): void {
    if (this.#used[this.#current] + count > this.#capacity) this.#forgetOlder()
  }

  get rotations(): number {
    return this.#rotations
  }

  #findIn(generation: number, keyLow: number, keyHigh: number): number {
    const words = this.#words
    const mask = this.#mask
    const base = generation * this.#places
    for (let at = keyLow & mask; ; at = (at + 1) & mask) {
      const w = (base + at) * ENTRY_WORDS
      const meta = words[w + META]!
      if (meta === 0) return -1
      if (words[w] === keyLow && words[w + 1] === keyHigh && (meta & OCCUPIED) !== 0) return base + at
    }
  }

  #forgetOlder(): void {
    this.#current = this.#current === 0 ? 1 : 0
    this.#rotations++
    const first = this.#current * this.#places * ENTRY_WORDS
    this.#words.fill(0, first, first + this.#places * ENTRY_WORDS)
    this.#used[this.#current] = 0
    this.#traces[this.#current].drainInto(this.#older)
  }
}

/** Spans that one body may hold so that a generation surely has room for them. */
export function spansPerBodyMax(placesLog2: number): number {
  return Math.floor(2 ** placesLog2 * LOAD_MAX)
}

interface TraceList {
  add(low: number, high: number): void
  drainInto(filter: BloomFilter): void
}

function createTraceList(): TraceList {
  let words = new Uint32Array(1024)
  let length = 0
  return {
    add(low, high) {
      if (length > 0 && words[length - 2] === low && words[length - 1] === high) return
      if (length === words.length) {
        const larger = new Uint32Array(words.length * 2)
        larger.set(words)
        words = larger
      }
      words[length++] = low
      words[length++] = high
    },
    drainInto(filter) {
      for (let at = 0; at < length; at += 2) filter.add(words[at]!, words[at + 1]!)
      length = 0
      words = new Uint32Array(1024)
    },
  }
}
