import type { BloomFilter } from './bloom-filter.ts'

/**
 * Which spans are stored or about to be, by 64-bit key: every commit since some point (C0), in two generations of typed
 * arrays. When a generation is full the older one is forgotten, and its traces go to `older`, the filter of traces that
 * may have spans from before C0.
 *
 * A place is where an entry lies; it stays the same until the entry's generation is forgotten.
 */
export interface SeenSpans {
  /** The place of a span, or -1. */
  find(keyLow: number, keyHigh: number): number
  /** Enters a span that is not there yet, as pending by `owner`. Call `makeRoom` first. */
  insertPending(keyLow: number, keyHigh: number, content: number, ended: boolean, owner: number): number
  stateAt(place: number): SpanState
  setState(place: number, state: SpanState): void
  /** The span is committed, unless another body has replaced it meanwhile: then that one settles it. */
  settle(place: number, owner: number): void
  /** Takes an entry out: its commit failed. */
  remove(place: number): void
  /** Remembers that a trace has spans in the running generation; repeats are welcome. */
  noteTrace(traceLow: number, traceHigh: number): void
  /** Makes room for `count` entries. May forget the older generation: `rotations` then grows by one. */
  makeRoom(count: number): void
  rotations(): number
  size(): number
}

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

export interface SeenSpansOptions {
  /** Places per generation as a power of two; 16 bytes each. */
  placesLog2: number
  older: BloomFilter
}

export function createSeenSpans({ placesLog2, older }: SeenSpansOptions): SeenSpans {
  const places = 2 ** placesLog2
  const mask = places - 1
  const capacity = Math.floor(places * LOAD_MAX)
  const words = new Uint32Array(places * 2 * ENTRY_WORDS)
  const used = [0, 0]
  const traces: [TraceList, TraceList] = [createTraceList(), createTraceList()]
  let current: 0 | 1 = 0
  let rotations = 0

  function findIn(generation: number, keyLow: number, keyHigh: number): number {
    const base = generation * places
    for (let at = keyLow & mask; ; at = (at + 1) & mask) {
      const w = (base + at) * ENTRY_WORDS
      const meta = words[w + META]!
      if (meta === 0) return -1
      if (words[w] === keyLow && words[w + 1] === keyHigh && (meta & OCCUPIED) !== 0) return base + at
    }
  }

  function forgetOlder(): void {
    current = current === 0 ? 1 : 0
    rotations++
    words.fill(0, current * places * ENTRY_WORDS, (current + 1) * places * ENTRY_WORDS)
    used[current] = 0
    traces[current].drainInto(older)
  }

  return {
    find(keyLow, keyHigh) {
      const place = findIn(current, keyLow, keyHigh)
      return place >= 0 ? place : findIn(1 - current, keyLow, keyHigh)
    },
    insertPending(keyLow, keyHigh, content, ended, owner) {
      const base = current * places
      let at = keyLow & mask
      while (words[(base + at) * ENTRY_WORDS + META] !== 0) at = (at + 1) & mask
      const w = (base + at) * ENTRY_WORDS
      words[w] = keyLow
      words[w + 1] = keyHigh
      words[w + META] = OCCUPIED | (ended ? ENDED : 0) | (owner << OWNER_SHIFT)
      words[w + CONTENT] = content
      used[current]!++
      return base + at
    },
    stateAt(place) {
      const meta = words[place * ENTRY_WORDS + META]!
      return { owner: meta >>> OWNER_SHIFT, ended: (meta & ENDED) !== 0, content: words[place * ENTRY_WORDS + CONTENT]! }
    },
    setState(place, { owner, ended, content }) {
      words[place * ENTRY_WORDS + META] = OCCUPIED | (ended ? ENDED : 0) | (owner << OWNER_SHIFT)
      words[place * ENTRY_WORDS + CONTENT] = content
    },
    settle(place, owner) {
      const meta = words[place * ENTRY_WORDS + META]!
      if (meta >>> OWNER_SHIFT === owner) words[place * ENTRY_WORDS + META] = meta & (OCCUPIED | ENDED)
    },
    remove(place) {
      // Not emptied: entries behind it would be lost to look-ups.
      words[place * ENTRY_WORDS + META] = REMOVED
    },
    noteTrace: (low, high) => traces[current].add(low, high),
    makeRoom(count) {
      if (used[current]! + count > capacity) forgetOlder()
    },
    rotations: () => rotations,
    size: () => used[0]! + used[1]!,
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
