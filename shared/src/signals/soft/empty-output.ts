import { healthyTurns, type SoftFinding, type SoftRule } from './rule.ts'
import type { SoftTrace } from './soft-trace.ts'

/** Ends that have a signal of their own, or that leave the answer to somebody else. */
const OTHER_ENDS = /^(?:tool|function|length|max|content|safety|refusal|pause|incomplete|error|cancel)/i

/** A model call, or an agent of which no model call is seen, that went well and answered nothing: no words, no tool call, nothing else. */
export const emptyOutput: SoftRule = {
  signal: 'empty_output',
  find: (trace) =>
    [...healthyTurns(trace).map(({ at }) => at), ...lonelyAgents(trace)].flatMap((at) => {
      const output = trace.outputOf(at)
      if (output === null) return countsNothing(trace, at)
      if (output.calls.length > 0 || output.refusal !== null || output.hasOther) return []
      if (output.text.replace(/\s+/g, '').length > trace.thresholds.emptyOutputMaxChars) return []
      if (trace.finishReasonsOf(at).some((reason) => OTHER_ENDS.test(reason))) return []
      return [{ at, errorType: null, message: 'the answer is empty', because: 'neither words nor a tool call in the answer' }]
    }),
}

function lonelyAgents({ tree, runs, hasFailureBelow }: SoftTrace): number[] {
  const withTurns = new Set(runs.filter(({ turns }) => turns.length > 0).map(({ agent }) => agent))
  return runs.flatMap(({ actions }) =>
    actions.filter((i) => tree.spans[i]!.view.kind === 'agent' && !withTurns.has(i) && !hasFailureBelow(i)),
  )
}

/** The words were not recorded, but that there were none: a call that ended by itself read tokens and wrote not one. */
function countsNothing(trace: SoftTrace, at: number): SoftFinding[] {
  const { tokens } = trace.tree.spans[at]!.view
  const reasons = trace.finishReasonsOf(at)
  const isOver = reasons.length > 0 && !reasons.some((reason) => OTHER_ENDS.test(reason))
  if (!isOver || tokens.output !== 0 || (tokens.input ?? 0) === 0) return []
  return [{ at, errorType: null, message: 'the answer is empty', because: 'no output token in the answer' }]
}
