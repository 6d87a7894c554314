/** The fields of one message, each under its lowerCamelCase and its original name, found by bytes. */
export interface FieldNames {
  /** By slot: a name's bytes and the number of its field. */
  names: readonly (Uint8Array | null)[]
  /** By field: its lowerCamelCase name. */
  keys: readonly UsualKey[]
  fields: Uint8Array
  factor: number
}

/** A key as nearly all senders write it, with quotes and colon. `words` are its bytes as they lie in memory, four a word. */
export interface UsualKey {
  bytes: Uint8Array
  words: Int32Array
  length: number
}

/** No name is known by these bytes, or an object has no further field. */
export const NO_FIELD = -1

const SLOTS = 128

/** Fields are numbered in the order given. */
export function createFieldNames(...camelCase: string[]): FieldNames {
  const snakeCase = camelCase.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
  const all = new Map([...camelCase.entries(), ...snakeCase.entries()].map(([field, name]) => [name, field]))
  for (let factor = 1; factor < 1000; factor++) {
    const names = placeEachAlone([...all.keys()], factor)
    if (names === null) continue
    const fields = names.map((name) => (name === null ? 0 : all.get(new TextDecoder().decode(name))!))
    const keys = camelCase.map((name) => createUsualKey(`"${name}":`))
    return { names, keys, fields: Uint8Array.from(fields), factor }
  }
  throw new RangeError(`no hash without collisions for ${camelCase.join(', ')}`)
}

function createUsualKey(text: string): UsualKey {
  const bytes = new TextEncoder().encode(text)
  const view = new DataView(bytes.buffer)
  const words = Int32Array.from({ length: bytes.length >> 2 }, (_, word) => view.getInt32(word * 4, true))
  return { bytes, words, length: bytes.length }
}

function placeEachAlone(names: readonly string[], factor: number): (Uint8Array | null)[] | null {
  const slots = new Array<Uint8Array | null>(SLOTS).fill(null)
  for (const name of names) {
    const bytes = new TextEncoder().encode(name)
    const slot = slotOf(bytes, 0, bytes.length, factor)
    if (slots[slot] !== null) return null
    slots[slot] = bytes
  }
  return slots
}

function slotOf(bytes: Uint8Array, start: number, end: number, factor: number): number {
  const length = end - start
  const middle = bytes[start + (length >> 1)]!
  const late = bytes[length > 2 ? end - 3 : start]!
  return (length * factor + bytes[start]! * 7 + middle * 3 + late * 5 + bytes[end - 1]!) & (SLOTS - 1)
}

/** The number of the field whose name these bytes are, or `NO_FIELD`. */
export function findField(fields: FieldNames, bytes: Uint8Array, start: number, end: number): number {
  const slot = slotOf(bytes, start, end, fields.factor)
  const name = fields.names[slot]
  if (!name || name.length !== end - start) return NO_FIELD
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return NO_FIELD
  return fields.fields[slot]!
}
