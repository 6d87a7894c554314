import type { Words } from './decimal.ts'

/*
 * What protobuf libraries of JavaScript make of ids and times when their messages are written as JSON: no specification knows
 * these shapes, and senders that use them are deployed.
 */

/** The longest spelling of an id has 16 numbers with an index each. */
const SHAPE_MAX_CHARACTERS = 512
const WORD = 2 ** 32

/** The bytes of an id that is a list of them, a Buffer of Node or an object by index; null where it is none of that size. An empty list is no id. */
export function bytesOfShape(json: string, size: number): Uint8Array | null {
  const shape = parseShort(json)
  const bytes = Array.isArray(shape) ? shape : Array.isArray(shape?.data) ? shape.data : shape && listByIndex(shape, size)
  if (!bytes || (bytes.length !== size && bytes.length !== 0) || !bytes.every(isByte)) return null
  return Uint8Array.from(bytes as number[])
}

/** The words of a time that is a Long object, `{low, high, unsigned}`; null where it is none, or less than 0. */
export function wordsOfShape(json: string): Words | null {
  const { low, high, unsigned } = (parseShort(json) ?? {}) as Record<string, unknown>
  if (!isWord(low) || !isWord(high) || (high < 0 && unsigned !== true)) return null
  return { low: low >>> 0, high: high >>> 0 }
}

function parseShort(json: string): Record<string, unknown> | null {
  return json.length <= SHAPE_MAX_CHARACTERS ? (JSON.parse(json) as Record<string, unknown> | null) : null
}

function listByIndex(shape: Record<string, unknown>, size: number): unknown[] | null {
  const list = Array.from({ length: size }, (_, at) => shape[at])
  return Object.keys(shape).length === size ? list : null
}

const isByte = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255
const isWord = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= -WORD / 2 && (value as number) < WORD
