/**
 * How many different things were met, in at most a kilobyte: exact up to 256 of them, estimated beyond (HyperLogLog, 512
 * registers, a standard error of 4.6 %). Neither order nor repetition nor the way in which parts were joined shows in it.
 */
export interface DistinctCount {
  /** A hash of 32 bits, of which each is as good as any other. */
  add(hash: number): void
  /** What another one of these has written. */
  join(bytes: Uint8Array): void
  count(): number
  toBytes(): Uint8Array
}

/** To add so many one by one costs what it costs to join as many registers. */
const EXACT_MAX = 256
const INDEX_BITS = 9
const REGISTERS = 1 << INDEX_BITS
/** First byte of what is written. */
const EXACT = 0
const ESTIMATED = 1
const HASH_BYTES = 4

export function createDistinctCount(): DistinctCount {
  let hashes: Set<number> | null = new Set()
  const registers = new Uint8Array(REGISTERS)

  function note(hash: number): void {
    const at = hash >>> (32 - INDEX_BITS)
    const rank = Math.clz32(((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))) >>> 0) + 1
    if (rank > registers[at]!) registers[at] = rank
  }

  function estimateFromNow(): void {
    for (const hash of hashes ?? []) note(hash)
    hashes = null
  }

  function add(hash: number): void {
    if (hashes === null) {
      note(hash)
      return
    }
    hashes.add(hash >>> 0)
    if (hashes.size > EXACT_MAX) estimateFromNow()
  }

  return {
    add,
    join(bytes) {
      if (bytes[0] === EXACT) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        for (let at = 1; at < bytes.length; at += HASH_BYTES) add(view.getUint32(at))
        return
      }
      if (hashes !== null) estimateFromNow()
      for (let at = 0; at < REGISTERS; at++) if (bytes[at + 1]! > registers[at]!) registers[at] = bytes[at + 1]!
    },
    count: () => hashes?.size ?? estimateOf(registers),
    toBytes() {
      if (hashes === null) return Uint8Array.from([ESTIMATED, ...registers])
      const sorted = [...hashes].sort((a, b) => a - b)
      const bytes = new Uint8Array(1 + sorted.length * HASH_BYTES)
      const view = new DataView(bytes.buffer)
      sorted.forEach((hash, n) => void view.setUint32(1 + n * HASH_BYTES, hash))
      return bytes
    },
  }
}

/** Of hashes that have this rank or more. */
const SHARES = Float64Array.from({ length: 64 }, (_, rank) => 2 ** -rank)

/** Flajolet's estimate; few distinct ones are told from the registers that are still empty. */
function estimateOf(registers: Uint8Array): number {
  let sum = 0
  let empty = 0
  for (let at = 0; at < REGISTERS; at++) {
    const rank = registers[at]!
    sum += SHARES[rank]!
    if (rank === 0) empty += 1
  }
  const raw = ((0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS * REGISTERS) / sum
  const isFew = raw <= 2.5 * REGISTERS && empty > 0
  return Math.round(isFew ? REGISTERS * Math.log(REGISTERS / empty) : raw)
}

/** 32 good bits of a number or of any 64-bit hash (the last step of MurmurHash3). */
export function spreadBits(value: number | bigint): number {
  let hash = typeof value === 'bigint' ? Number(BigInt.asUintN(32, value ^ (value >> 32n))) : value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** 32 bits of a text: FNV-1a over UTF-16 units, spread. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return spreadBits(hash)
}
