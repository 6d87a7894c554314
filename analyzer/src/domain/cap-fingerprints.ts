import { failuresOf, type PainFacts } from './pain-facts.ts'

/** Pains shown of one place and error class. */
const SHOWN_MAX = 200

/**
 * A place whose failures never say the same twice would fill every list: of its pains the largest are shown, ties by fingerprint, and
 * the rest is summed up. A view: fingerprints are stored as they came, and each of them is found by its id.
 */
export function capFingerprints<P extends PainFacts>(pains: readonly P[], shownMax = SHOWN_MAX): { shown: P[]; overflow: P[] } {
  const overflow = new Set<P>()
  for (const siblings of Map.groupBy(pains, ({ parentKey }) => parentKey).values()) {
    if (siblings.length <= shownMax) continue
    const largest = siblings.toSorted((a, b) => failuresOf(b) - failuresOf(a) || (a.fingerprint < b.fingerprint ? -1 : 1))
    for (const pain of largest.slice(shownMax)) overflow.add(pain)
  }
  return { shown: pains.filter((pain) => !overflow.has(pain)), overflow: [...overflow] }
}
