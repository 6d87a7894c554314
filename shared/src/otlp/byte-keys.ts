/** A fixed set of names that is looked up by bytes, without making a string of them. */
export interface ByteKeys {
  names: readonly string[]
  bytes: readonly Uint8Array[]
  /** Hash → index into `names` plus one; collisions go on to the next slot. */
  slots: Uint16Array
  lengthMax: number
}

/** Throws where there are more names than a slot can number. */
export function createByteKeys(names: readonly string[]): ByteKeys {
  if (names.length >= 0xffff) throw new RangeError(`${names.length} names are too many`)
  const bytes = names.map((name) => new TextEncoder().encode(name))
  const slots = new Uint16Array(2 ** Math.ceil(Math.log2(names.length * 4 + 4)))
  bytes.forEach((name, index) => {
    let slot = hashOf(name, 0, name.length) & (slots.length - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
    slots[slot] = index + 1
  })
  return { names, bytes, slots, lengthMax: Math.max(0, ...bytes.map((name) => name.length)) }
}

/** Index of the name that these bytes spell, or -1. */
export function findByteKey(keys: ByteKeys, body: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length > keys.lengthMax) return -1
  const { slots } = keys
  const mask = slots.length - 1
  for (let slot = hashOf(body, start, end) & mask; ; slot = (slot + 1) & mask) {
    const found = slots[slot]!
    if (found === 0) return -1
    const name = keys.bytes[found - 1]!
    if (name.length === length && startsWith(body, start, name)) return found - 1
  }
}

export function startsWith(body: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (body[start + i] !== name[i]) return false
  return true
}

/** Length and five bytes tell attribute keys apart well enough; equality is checked anyway. */
function hashOf(body: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length === 0) return 0
  const middle = start + (length >> 1)
  let hash = length * 131 + body[start]!
  hash = Math.imul(hash, 31) + body[end - 1]!
  hash = Math.imul(hash, 31) + body[middle]!
  hash = Math.imul(hash, 31) + body[start + (length >> 2)]!
  hash = Math.imul(hash, 31) + body[middle + (length >> 2)]!
  return hash ^ (hash >>> 15) ^ (hash >>> 7)
}
