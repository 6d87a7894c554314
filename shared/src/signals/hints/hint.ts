import type { SoftTrace } from '../soft/soft-trace.ts'
import type { HintKind } from './hint-kind.ts'

export interface FoundHint {
  /** Index of the span in the tree. */
  at: number
  kind: HintKind
  because: string
}

/** Pure, and linear in the trace. */
export type HintRule = (trace: SoftTrace) => FoundHint[]
