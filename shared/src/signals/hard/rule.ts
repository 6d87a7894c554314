import type { Evidence } from '../evidence.ts'
import type { SignalType } from '../signal-type.ts'

/** One hard signal: says of a span that is known to fail whether it failed in this way, and by which evidence. */
export interface HardRule {
  signal: SignalType
  applies: (evidence: Evidence) => string | null
}

/** The first pattern's match in the error's words, quoted for /why; null where none is there. */
export function wordsMatch(evidence: Evidence, pattern: RegExp): string | null {
  const found = pattern.exec(evidence.words)?.[0]
  return found === undefined ? null : `error text says "${found.trim().slice(0, 80)}"`
}
