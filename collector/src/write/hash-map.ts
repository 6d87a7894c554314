/** Numbers by 64-bit hash given as low and high word, in typed arrays: 16 bytes an entry, no object. */
export interface HashMap {
  set(low: number, high: number, value: number): void
  /** -1 where there is none. */
  get(low: number, high: number): number
  delete(low: number, high: number): void
  size(): number
}

const FIRST_PLACES = 1024
const LOAD_MAX = 0.6
const NONE = -1

/** The pair (0, 0) marks an empty place and is kept apart. Input must be evenly spread, as keyed hashes are. */
export function createHashMap(): HashMap {
  let words = new Uint32Array(FIRST_PLACES * 2)
  let values = new Float64Array(FIRST_PLACES)
  let mask = FIRST_PLACES - 1
  let used = 0
  let ofZero = NONE

  const isEmpty = (at: number) => words[at * 2] === 0 && words[at * 2 + 1] === 0

  function find(low: number, high: number): number {
    let at = low & mask
    while (!isEmpty(at) && (words[at * 2] !== low || words[at * 2 + 1] !== high)) at = (at + 1) & mask
    return at
  }

  function put(at: number, low: number, high: number, value: number): void {
    words[at * 2] = low
    words[at * 2 + 1] = high
    values[at] = value
  }

  function grow(): void {
    const before = words
    const beforeValues = values
    words = new Uint32Array(before.length * 2)
    values = new Float64Array(beforeValues.length * 2)
    mask = values.length - 1
    for (let at = 0; at < beforeValues.length; at++) {
      const low = before[at * 2]!
      const high = before[at * 2 + 1]!
      if (low !== 0 || high !== 0) put(find(low, high), low, high, beforeValues[at]!)
    }
  }

  /** Moves the entries behind an emptied place back, so that none is lost to look-ups. */
  function closeGap(emptied: number): void {
    let gap = emptied
    for (let at = (gap + 1) & mask; !isEmpty(at); at = (at + 1) & mask) {
      const home = words[at * 2]! & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      put(gap, words[at * 2]!, words[at * 2 + 1]!, values[at]!)
      put(at, 0, 0, 0)
      gap = at
    }
  }

  return {
    set(low, high, value) {
      if (low === 0 && high === 0) {
        ofZero = value
        return
      }
      const at = find(low, high)
      const isNew = isEmpty(at)
      put(at, low, high, value)
      if (isNew && ++used > (mask + 1) * LOAD_MAX) grow()
    },
    get(low, high) {
      if (low === 0 && high === 0) return ofZero
      const at = find(low, high)
      return isEmpty(at) ? NONE : values[at]!
    },
    delete(low, high) {
      if (low === 0 && high === 0) ofZero = NONE
      else {
        const at = find(low, high)
        if (isEmpty(at)) return
        put(at, 0, 0, 0)
        used--
        closeGap(at)
      }
    },
    size: () => used + (ofZero === NONE ? 0 : 1),
  }
}
