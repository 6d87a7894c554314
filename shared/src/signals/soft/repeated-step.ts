import type { SoftFinding, SoftRule } from './rule.ts'

/**
 * The same tool with the same arguments and the same result, again and again: nothing was learned. The last run is marked. Where a
 * result changes, as in polling, the step was of use. Runs of which the trace tells no arguments are left alone.
 */
export const repeatedStep: SoftRule = {
  signal: 'repeated_step',
  find(trace) {
    const { tree, thresholds } = trace
    const findings: SoftFinding[] = []
    for (const { actions } of trace.runs) {
      const same = new Map<string, number[]>()
      for (const i of actions) {
        const { kind, tool } = tree.spans[i]!.view
        const asked = kind === 'tool' && tool !== null ? trace.argumentsOf(i) : null
        if (asked === null) continue
        const step = JSON.stringify([tool, asked, trace.fails(i) ? 'failed' : trace.resultOf(i)])
        const steps = same.get(step)
        if (steps) steps.push(i)
        else same.set(step, [i])
      }
      for (const steps of same.values()) {
        const at = steps.at(-1)!
        if (steps.length < thresholds.repeatedStepMin || trace.hasFailureBelow(at)) continue
        const { tool } = tree.spans[at]!.view
        findings.push({
          at,
          errorType: null,
          message: 'the same tool with the same arguments and the same result',
          because: `${steps.length} runs of ${tool} with the same arguments and the same result`,
          alsoAt: steps.slice(0, -1).reverse(),
        })
      }
    }
    return findings
  },
}
