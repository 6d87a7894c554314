/** A set of 64-bit hashes given as low and high word, in typed arrays: 8 bytes an entry, no object. */
export interface HashSet {
  add(low: number, high: number): void
  has(low: number, high: number): boolean
  delete(low: number, high: number): void
  size(): number
}

const FIRST_PLACES = 1024
const LOAD_MAX = 0.6

/** The pair (0, 0) marks an empty place and is kept apart. Input must be evenly spread, as keyed hashes are. */
export function createHashSet(): HashSet {
  let words = new Uint32Array(FIRST_PLACES * 2)
  let mask = FIRST_PLACES - 1
  let used = 0
  let hasZero = false

  const isEmpty = (at: number) => words[at * 2] === 0 && words[at * 2 + 1] === 0

  function find(low: number, high: number): number {
    let at = low & mask
    while (!isEmpty(at) && (words[at * 2] !== low || words[at * 2 + 1] !== high)) at = (at + 1) & mask
    return at
  }

  function put(at: number, low: number, high: number): void {
    words[at * 2] = low
    words[at * 2 + 1] = high
  }

  function grow(): void {
    const before = words
    words = new Uint32Array(before.length * 2)
    mask = words.length / 2 - 1
    for (let at = 0; at < before.length; at += 2)
      if (before[at] !== 0 || before[at + 1] !== 0) put(find(before[at]!, before[at + 1]!), before[at]!, before[at + 1]!)
  }

  /** Moves the entries behind an emptied place back, so that none is lost to look-ups. */
  function closeGap(emptied: number): void {
    let gap = emptied
    for (let at = (gap + 1) & mask; !isEmpty(at); at = (at + 1) & mask) {
      const home = words[at * 2]! & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      put(gap, words[at * 2]!, words[at * 2 + 1]!)
      put(at, 0, 0)
      gap = at
    }
  }

  return {
    add(low, high) {
      if (low === 0 && high === 0) hasZero = true
      else {
        const at = find(low, high)
        if (!isEmpty(at)) return
        put(at, low, high)
        if (++used > (mask + 1) * LOAD_MAX) grow()
      }
    },
    has: (low, high) => (low === 0 && high === 0 ? hasZero : !isEmpty(find(low, high))),
    delete(low, high) {
      if (low === 0 && high === 0) hasZero = false
      else {
        const at = find(low, high)
        if (isEmpty(at)) return
        put(at, 0, 0)
        used--
        closeGap(at)
      }
    },
    size: () => used + (hasZero ? 1 : 0),
  }
}
