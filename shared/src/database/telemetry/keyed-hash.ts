/** Two 32-bit words of key material; secret, so that nobody can send ids that all fall together. */
export interface HashKey {
  k0: number
  k1: number
}

/** Hashes the first `count` words into `out[at]` (low word) and `out[at + 1]` (high word). */
export type KeyedHash = (words: Uint32Array, count: number, out: Uint32Array, at: number) => void

const COMPRESSION_ROUNDS = 2
const FINAL_ROUNDS = 4

/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein; reference implementation of 2016), over 32-bit words.
 * Chosen because it needs 32-bit arithmetic only: no bigint is made on the ingest path.
 */
export function createKeyedHash({ k0, k1 }: HashKey): KeyedHash {
  return (words, count, out, at) => {
    let v0 = k0 | 0
    let v1 = k1 ^ 0xee
    let v2 = 0x6c796765 ^ k0
    let v3 = 0x74656462 ^ k1
    // One turn per word, one for the length, two for the halves of the result.
    for (let turn = 0; turn <= count + 2; turn++) {
      const isFinal = turn > count
      const word = turn < count ? words[turn]! : turn === count ? count << 26 : 0
      if (!isFinal) v3 ^= word
      else if (turn === count + 1) v2 ^= 0xee
      else v1 ^= 0xdd
      for (let round = isFinal ? FINAL_ROUNDS : COMPRESSION_ROUNDS; round > 0; round--) {
        v0 = (v0 + v1) | 0
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
        v0 = (v0 << 16) | (v0 >>> 16)
        v2 = (v2 + v3) | 0
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
        v0 = (v0 + v3) | 0
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
        v2 = (v2 + v1) | 0
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
        v2 = (v2 << 16) | (v2 >>> 16)
      }
      if (!isFinal) v0 ^= word
      else out[at + turn - count - 1] = v1 ^ v3
    }
  }
}

/** The key in eight bytes, as `meta` stores it. */
export function toHashKey(bytes: Uint8Array): HashKey {
  if (bytes.length < 8) throw new RangeError('a hash key has 8 bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { k0: view.getUint32(0, true), k1: view.getUint32(4, true) }
}
