const FIRST_PLACES = 1024
const LOAD_MAX = 0.6
const NONE = -1

/**
 * Numbers by 64-bit hash given as low and high word, in typed arrays: 16 bytes an entry, no object. Input must be evenly
 * spread, as keyed hashes are. The pair (0, 0) marks an empty place and is kept apart.
 */
export class HashMap {
  #words = new Uint32Array(FIRST_PLACES * 2)
  #values = new Float64Array(FIRST_PLACES)
  #mask = FIRST_PLACES - 1
  #used = 0
  #ofZero = NONE

  /** -1 where there is none. */
  get(low: number, high: number): number {
    if (low === 0 && high === 0) return this.#ofZero
    const at = this.#find(low, high)
    return this.#isEmpty(at) ? NONE : this.#values[at]!
  }

  set(low: number, high: number, value: number): void {
    if (low === 0 && high === 0) {
      this.#ofZero = value
      return
    }
    const at = this.#find(low, high)
    const isNew = this.#isEmpty(at)
    this.#put(at, low, high, value)
    if (isNew && ++this.#used > (this.#mask + 1) * LOAD_MAX) this.#grow()
  }

  delete(low: number, high: number): void {
    if (low === 0 && high === 0) {
      this.#ofZero = NONE
      return
    }
    const at = this.#find(low, high)
    if (this.#isEmpty(at)) return
    this.#put(at, 0, 0, 0)
    this.#used--
    this.#closeGap(at)
  }

  get size(): number {
    return this.#used + (this.#ofZero === NONE ? 0 : 1)
  }

  #isEmpty(at: number): boolean {
    return this.#words[at * 2] === 0 && this.#words[at * 2 + 1] === 0
  }

  #find(low: number, high: number): number {
    const words = this.#words
    let at = low & this.#mask
    while (!this.#isEmpty(at) && (words[at * 2] !== low || words[at * 2 + 1] !== high)) at = (at + 1) & this.#mask
    return at
  }

  #put(at: number, low: number, high: number, value: number): void {
    this.#words[at * 2] = low
    this.#words[at * 2 + 1] = high
    this.#values[at] = value
  }

  #grow(): void {
    const words = this.#words
    const values = this.#values
    this.#words = new Uint32Array(words.length * 2)
    this.#values = new Float64Array(values.length * 2)
    this.#mask = this.#values.length - 1
    for (let at = 0; at < values.length; at++) {
      const low = words[at * 2]!
      const high = words[at * 2 + 1]!
      if (low !== 0 || high !== 0) this.#put(this.#find(low, high), low, high, values[at]!)
    }
  }

  /** Moves the entries behind an emptied place back, so that none is lost to look-ups. */
  #closeGap(emptied: number): void {
    const words = this.#words
    let gap = emptied
    for (let at = (gap + 1) & this.#mask; !this.#isEmpty(at); at = (at + 1) & this.#mask) {
      const home = words[at * 2]! & this.#mask
      if (((at - home) & this.#mask) < ((at - gap) & this.#mask)) continue
      this.#put(gap, words[at * 2]!, words[at * 2 + 1]!, this.#values[at]!)
      this.#put(at, 0, 0, 0)
      gap = at
    }
  }
}
