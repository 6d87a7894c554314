import { type AgentRun, between } from '../soft/agent-runs.ts'
import { invalidCalls } from '../soft/invalid-tool-arguments.ts'
import type { SoftTrace } from '../soft/soft-trace.ts'
import { NO_PARENT } from '../trace-tree.ts'
import type { FoundHint, HintRule } from './hint.ts'

/**
 * The turn whose action failed, and the one after it: what that says and does is about the failure, and often goes wrong, too. The
 * pain is the failure itself.
 */
export const failedActions: HintRule = (trace) =>
  trace.runs.flatMap((run) =>
    run.turns.flatMap((turn, n): FoundHint[] => {
      const next = run.turns[n + 1] ?? null
      const failed = trace.fails(turn) ? null : failedAction(trace, run, turn, next)
      if (failed === null) return []
      const { operation } = trace.tree.spans[failed]!.view
      const own: FoundHint = { at: turn, kind: 'failed_action', because: `its ${operation} failed` }
      return next === null ? [own] : [own, { at: next, kind: 'after_failure', because: `follows the failed ${operation}` }]
    }),
  )

/** What failed between two turns of a run: a step that began between them, or one around the first that does not hold the second. */
function failedAction({ tree, fails }: SoftTrace, run: AgentRun, turn: number, next: number | null): number | null {
  const isAction = (i: number) => fails(i) && tree.spans[i]!.view.kind !== 'chat'
  const around = new Set(next === null ? [] : ancestors(tree.parents, next))
  for (const i of ancestors(tree.parents, turn)) {
    if (i === run.agent || around.has(i)) break
    if (isAction(i)) return i
  }
  return between(run.spans, turn, next ?? Number.POSITIVE_INFINITY).find((i) => !around.has(i) && isAction(i)) ?? null
}

function* ancestors(parents: Int32Array, from: number): Generator<number> {
  for (let i = parents[from]!; i !== NO_PARENT; i = parents[i]!) yield i
}

/** A turn whose call does not fit its tool, whatever came of it. */
export const invalidArguments: HintRule = (trace) =>
  trace.runs.flatMap(({ turns }) =>
    turns.flatMap((at): FoundHint[] => {
      const [first] = invalidCalls(trace, at)
      return first === undefined
        ? []
        : [{ at, kind: 'invalid_arguments', because: `arguments of ${first.call.name} ${first.why}` }]
    }),
  )
