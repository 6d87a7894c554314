/** One field of a protobuf message, at any depth. `parent` is its place in the list, -1 at the top. */
export interface ProtoField {
  tagAt: number
  /** Where the length or the value starts. */
  lengthAt: number
  start: number
  end: number
  wireType: number
  parent: number
}

const FIELDS_MAX = 2_000
const DEPTH_MAX = 24

/** The fields of a message, with those of what may be a message inside; a text that looks like one is taken for one. */
export function listProtoFields(bytes: Uint8Array): ProtoField[] {
  const fields: ProtoField[] = []
  listInto(bytes, 0, bytes.length, -1, 0, fields)
  return fields
}

function listInto(bytes: Uint8Array, start: number, end: number, parent: number, depth: number, into: ProtoField[]): boolean {
  const first = into.length
  for (let p = start; p < end; ) {
    const field = fieldAt(bytes, p, end, parent)
    if (field === null || into.length >= FIELDS_MAX) {
      into.length = first
      return false
    }
    into.push(field)
    if (field.wireType === 2 && depth < DEPTH_MAX) listInto(bytes, field.start, field.end, into.length - 1, depth + 1, into)
    p = field.end
  }
  return true
}

function fieldAt(bytes: Uint8Array, tagAt: number, end: number, parent: number): ProtoField | null {
  const tag = varintAt(bytes, tagAt, end)
  if (tag === null || tag.value < 8) return null
  const lengthAt = tag.end
  const wireType = tag.value & 7
  if (wireType === 1 || wireType === 5) {
    const valueEnd = lengthAt + (wireType === 1 ? 8 : 4)
    return valueEnd <= end ? { tagAt, lengthAt, start: lengthAt, end: valueEnd, wireType, parent } : null
  }
  const value = wireType === 0 || wireType === 2 ? varintAt(bytes, lengthAt, end) : null
  if (value === null) return null
  if (wireType === 0) return { tagAt, lengthAt, start: lengthAt, end: value.end, wireType, parent }
  const contentEnd = value.end + value.value
  return contentEnd <= end ? { tagAt, lengthAt, start: value.end, end: contentEnd, wireType, parent } : null
}

function varintAt(bytes: Uint8Array, at: number, end: number): { value: number; end: number } | null {
  let value = 0
  for (let i = 0; i < 5 && at + i < end; i++) {
    value += (bytes[at + i]! & 0x7f) * 2 ** (7 * i)
    if (bytes[at + i]! < 0x80) return { value, end: at + i + 1 }
  }
  return null
}

export function varintOf(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

/** The message with `from` to `to`, which lie in the content of `parent`, replaced; all lengths around are made right. */
export function replaceInMessage(
  bytes: Buffer,
  fields: readonly ProtoField[],
  parent: number,
  [from, to]: readonly [number, number],
  replacement: Uint8Array,
): Buffer {
  let lo = from
  let hi = to
  let pieces: Uint8Array[] = [replacement]
  let length = replacement.length
  for (let at = parent; at >= 0; at = fields[at]!.parent) {
    const { lengthAt, start, end } = fields[at]!
    const contentLength = length + (lo - start) + (end - hi)
    const prefix = varintOf(contentLength)
    pieces = [prefix, bytes.subarray(start, lo), ...pieces, bytes.subarray(hi, end)]
    length = prefix.length + contentLength
    lo = lengthAt
    hi = end
  }
  return Buffer.concat([bytes.subarray(0, lo), ...pieces, bytes.subarray(hi)])
}
