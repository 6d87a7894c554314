/**
 * A set of 64-bit hashes that may say "maybe" of one it does not hold, and never "no" of one it does. Of the low word only the
 * upper 8 bits count: folded runs of traces keep no more.
 */
export interface BloomFilter {
  add(low: number, high: number): void
  mayHold(low: number, high: number): boolean
  /** Hashes added, repeats included. */
  size(): number
}

/** A block is one cache line: 16 words of 32 bits. */
const BLOCK_WORDS = 16
/** With 6 bits in a block of 512 for 32 hashes, about 2 of 1,000 strangers are taken for known. */
const HASHES_PER_BLOCK = 32
const BITS = 6
const FIRST_BLOCKS = 1 << 12
const KEPT_BITS = 0xff000000

/**
 * A blocked Bloom filter that grows by adding a layer twice as large when the last one is full. Input must be evenly
 * spread already, as keyed hashes are.
 */
export function createBloomFilter(): BloomFilter {
  const layers: { words: Uint32Array; blocks: number; room: number }[] = []
  let size = 0

  function grow(): { words: Uint32Array; blocks: number; room: number } {
    const blocks = FIRST_BLOCKS << Math.min(layers.length, 10)
    const layer = { words: new Uint32Array(blocks * BLOCK_WORDS), blocks, room: blocks * HASHES_PER_BLOCK }
    layers.push(layer)
    return layer
  }

  return {
    size: () => size,
    add(low, high) {
      let layer = layers.at(-1)
      if (!layer || layer.room === 0) layer = grow()
      layer.room--
      size++
      const base = ((high >>> 0) % layer.blocks) * BLOCK_WORDS
      for (let bit = 0, rest = spread(low, high); bit < BITS; bit++, rest = Math.imul(rest, 0x9e3779b1) + 1)
        layer.words[base + (rest >>> 28)]! |= 1 << ((rest >>> 23) & 31)
    },
    mayHold(low, high) {
      for (const { words, blocks } of layers) {
        const base = ((high >>> 0) % blocks) * BLOCK_WORDS
        let bit = 0
        for (let rest = spread(low, high); bit < BITS; bit++, rest = Math.imul(rest, 0x9e3779b1) + 1)
          if ((words[base + (rest >>> 28)]! & (1 << ((rest >>> 23) & 31))) === 0) break
        if (bit === BITS) return true
      }
      return false
    },
  }
}

function spread(low: number, high: number): number {
  const mixed = Math.imul((low & KEPT_BITS) ^ (high >>> 16), 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}
