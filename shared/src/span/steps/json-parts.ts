import type { OtlpValue } from '../../otlp/model.ts'

/** A JSON object or an OTLP kvlist, read alike. */
export type Part = ReadonlyMap<string, unknown>

/** Texts of JSON that are parsed at most; a longer one was cut by its reader anyway. */
export const JSON_MAX_CHARS = 65_536

/** The value that a text spells as JSON, or the value itself; undefined where it spells none. */
export function jsonOf(value: OtlpValue | undefined): unknown {
  if (typeof value !== 'string') return value
  const head = value.trimStart().charAt(0)
  if ((head !== '{' && head !== '[') || value.length > JSON_MAX_CHARS) return undefined
  try {
    return JSON.parse(value) as unknown
  } catch {
    return undefined
  }
}

/** The members of an object, whether it came as JSON or as a kvlist; null for anything else. */
export function partOf(value: unknown): Part | null {
  if (value instanceof Map) return value as Part
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return null
  return new Map(Object.entries(value))
}

/** The members of an object that came as a JSON text or as a kvlist. */
export function partIn(value: OtlpValue | undefined): Part | null {
  return partOf(jsonOf(value))
}

export function partsOf(value: unknown): Part[] {
  return Array.isArray(value) ? value.flatMap((item) => partOf(item) ?? []) : []
}

export function textIn(part: Part | null, ...names: string[]): string | null {
  for (const name of names) {
    const value = part?.get(name)
    if (typeof value === 'string') return value
  }
  return null
}

/** The value as one JSON text, with the members of objects in one order, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value, 0)) ?? ''
}

const DEPTH_MAX = 32

function sorted(value: unknown, depth: number): unknown {
  if (depth > DEPTH_MAX) return null
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1))
  if (typeof value === 'bigint') return String(value)
  const part = partOf(value)
  if (part === null) return value instanceof Uint8Array ? null : value
  const names = [...part.keys()].sort()
  return names.map((name) => [name, sorted(part.get(name), depth + 1)])
}
