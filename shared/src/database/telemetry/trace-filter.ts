/** A Bloom filter of known size over traces, by the words of their hashes; of the low word only the upper 8 bits count. */
export interface TraceFilter {
  bytes: number
  add(low: number, high: number): void
  mayHold(low: number, high: number): boolean
}

/** With 4 bits of 10 for each trace, about 1 of 80 strangers is taken for known. */
const BITS_PER_TRACE = 10
const BITS = 4
const KEPT_BITS = 0xff000000

export function createTraceFilter(traces: number): TraceFilter {
  const size = Math.max(32, Math.ceil((traces * BITS_PER_TRACE) / 32) * 32)
  const words = new Uint32Array(size / 32)
  // Double hashing: hashes are keyed and spread evenly already.
  const stepOf = (low: number, high: number) => (Math.imul((low & KEPT_BITS) ^ (high >>> 8), 0x9e3779b1) | 1) >>> 0
  return {
    bytes: words.byteLength,
    add(low, high) {
      const step = stepOf(low, high)
      for (let bit = 0, at = high; bit < BITS; bit++, at = (at + step) >>> 0) {
        const place = at % size
        words[place >>> 5]! |= 1 << (place & 31)
      }
    },
    mayHold(low, high) {
      const step = stepOf(low, high)
      for (let bit = 0, at = high; bit < BITS; bit++, at = (at + step) >>> 0) {
        const place = at % size
        if ((words[place >>> 5]! & (1 << (place & 31))) === 0) return false
      }
      return true
    },
  }
}
