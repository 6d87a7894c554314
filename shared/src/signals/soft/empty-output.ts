import { healthyTurns, type SoftRule } from './rule.ts'

/** Ends that have a signal of their own, or that leave the answer to somebody else. */
const OTHER_ENDS = /^(?:tool|function|length|max|content|safety|refusal|pause|incomplete|error|cancel)/i

/** A model call that went well and answered nothing: no words, no tool call, nothing else. */
export const emptyOutput: SoftRule = {
  signal: 'empty_output',
  find: (trace) =>
    healthyTurns(trace).flatMap(({ at }) => {
      const output = trace.outputOf(at)
      if (output === null || output.calls.length > 0 || output.refusal !== null || output.hasOther) return []
      if (output.text.replace(/\s+/g, '').length > trace.thresholds.emptyOutputMaxChars) return []
      const { finish_reasons } = trace.tree.spans[at]!.view
      if (finish_reasons.some((reason) => OTHER_ENDS.test(reason))) return []
      return [{ at, errorType: null, message: 'the answer is empty', because: 'neither words nor a tool call in the answer' }]
    }),
}
