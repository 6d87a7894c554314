/**
 * KeyValue as nearly all senders write it: a key of less than 128 bytes and one value of less than 16 kB, nothing else, in
 * either order. Go's pdata writes the value first, other encoders the key.
 */

const KEY = 0x0a
const VALUE = 0x12

/** Where the text of the key starts in a KeyValue of this form; its length is the byte before. -1 for any other form. */
export function usualKeyAt(bytes: Uint8Array, start: number, end: number): number {
  const keyTagAt = bytes[start] === VALUE ? fieldEnd(bytes, start) : start
  if (bytes[keyTagAt] !== KEY) return -1
  const length = bytes[keyTagAt + 1]!
  const keyEnd = keyTagAt + 2 + length
  if (length >= 0x80) return -1
  if (keyTagAt !== start) return keyEnd === end ? keyTagAt + 2 : -1
  return bytes[keyEnd] === VALUE && fieldEnd(bytes, keyEnd) === end ? keyTagAt + 2 : -1
}

/** Where the value's content starts in a KeyValue whose key was found at `keyAt` by `usualKeyAt`. */
export function usualValueAt(bytes: Uint8Array, start: number, keyAt: number): number {
  const tagAt = bytes[start] === KEY ? keyAt + bytes[keyAt - 1]! : start
  return bytes[tagAt + 1]! < 0x80 ? tagAt + 2 : tagAt + 3
}

/** Where that value's content ends. */
export function usualValueEnd(bytes: Uint8Array, start: number, end: number, keyAt: number): number {
  return bytes[start] === KEY ? end : keyAt - 2
}

/** The end of a length-delimited field with a length of one or two bytes; -1 for a longer one. */
function fieldEnd(bytes: Uint8Array, tagAt: number): number {
  const length = bytes[tagAt + 1]!
  if (length < 0x80) return tagAt + 2 + length
  const upper = bytes[tagAt + 2]!
  return upper < 0x80 ? tagAt + 3 + (length & 0x7f) + upper * 128 : -1
}
