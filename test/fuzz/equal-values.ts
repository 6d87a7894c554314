/** Whether two decoded values are the same in every part: maps by key, numbers as `Object.is` does. The path of the first difference, or null. */
export function firstDifference(a: unknown, b: unknown, path = ''): string | null {
  if (Object.is(a, b)) return null
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return path || 'the value'
  if (a instanceof Uint8Array || b instanceof Uint8Array) return equalBytes(a, b) ? null : path
  if (a instanceof Map || b instanceof Map) return differenceOfMaps(a, b, path)
  if (Array.isArray(a) !== Array.isArray(b)) return path
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const key of keys) {
    const found = firstDifference(
      (a as Record<string, unknown>)[key],
      (b as Record<string, unknown>)[key],
      `${path}.${nameOf(key)}`,
    )
    if (found !== null) return found
  }
  return null
}

function differenceOfMaps(a: object, b: object, path: string): string | null {
  if (!(a instanceof Map && b instanceof Map) || a.size !== b.size) return path
  for (const [key, value] of a) {
    const found = b.has(key) ? firstDifference(value, b.get(key), `${path}[]`) : `${path}[]`
    if (found !== null) return found
  }
  return null
}

/** Places in a list are left out, so that the path says the kind of difference. */
const nameOf = (key: string): string => (/^\d+$/.test(key) ? '*' : key)

export function equalBytes(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && Buffer.compare(a, b) === 0
}
