import type { SignalType } from '../signal-type.ts'
import type { AgentRun } from './agent-runs.ts'
import type { SoftTrace } from './soft-trace.ts'

/** What a soft rule saw: where, in words that are the same each time it happens, and by which evidence. */
export interface SoftFinding {
  /** Index of the span in the tree. */
  at: number
  /** A class of it, as an error's type: a finish reason, a name of an evaluation; null where there is one only. */
  errorType: string | null
  message: string
  because: string
  /** Spans that show the same trouble and are no second pain, nearest first. */
  alsoAt?: number[]
}

/** One soft signal: finds it in a whole trace. Pure, and linear in the trace. */
export interface SoftRule {
  signal: SignalType
  find: (trace: SoftTrace) => SoftFinding[]
  /** Stands beside an error that only passed through its span: what it tells is another trouble. */
  isBesideErrors?: true
}

/** A model call in its run. */
export interface Turn {
  at: number
  run: AgentRun
  /** The model call after it. */
  next: number | null
}

/** Model calls of the trace that went well, in order. */
export function healthyTurns({ runs, hasFailureBelow }: SoftTrace): Turn[] {
  return runs.flatMap((run) =>
    run.turns.flatMap((at, n) => (hasFailureBelow(at) ? [] : [{ at, run, next: run.turns[n + 1] ?? null }])),
  )
}

/** Tools' runs that went well, in order. */
export function healthyTools({ runs, tree, hasFailureBelow }: SoftTrace): number[] {
  return runs.flatMap(({ actions }) => actions.filter((i) => tree.spans[i]!.view.kind === 'tool' && !hasFailureBelow(i)))
}
