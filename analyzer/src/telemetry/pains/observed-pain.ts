import type { PainFacts } from '../../domain/pain-facts.ts'
import type { SeenPain } from '../questions.ts'

/** A pain with failures that nobody has claimed yet. */
export interface ObservedPain {
  seen: SeenPain
  facts: PainFacts
  /** No failure of it was ever decided before. */
  isFirst: boolean
  evidenceIds: string[]
}
