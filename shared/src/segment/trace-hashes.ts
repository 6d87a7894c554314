const HASH_BYTES = 8

/** The trace hashes of a segment: each once, sorted, 8 bytes little-endian. */
export function packTraceHashes(hashes: readonly bigint[] | BigUint64Array): Uint8Array {
  const sorted = BigUint64Array.from(hashes).sort()
  let count = 0
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[count++] = sorted[i]!
  const packed = new Uint8Array(count * HASH_BYTES)
  const view = new DataView(packed.buffer)
  for (let i = 0; i < count; i++) view.setBigUint64(i * HASH_BYTES, sorted[i]!, true)
  return packed
}

/** Whether a packed list holds this hash: a binary search that makes no bigint per step. */
export function hasTraceHash(packed: Uint8Array, hash: bigint): boolean {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const high = Number(BigInt.asUintN(64, hash) >> 32n)
  const low = Number(BigInt.asUintN(32, hash))
  let from = 0
  let to = Math.floor(packed.length / HASH_BYTES)
  while (from < to) {
    const middle = (from + to) >>> 1
    const found = view.getUint32(middle * HASH_BYTES + 4, true)
    const order = found - high || view.getUint32(middle * HASH_BYTES, true) - low
    if (order === 0) return true
    if (order < 0) from = middle + 1
    else to = middle
  }
  return false
}
