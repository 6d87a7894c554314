import type { SoftFinding, SoftRule } from './rule.ts'

/**
 * The same tool with the same arguments and the same result, again and again to the end: nothing was learned. The last run is marked. Where
 * the result changes at last, as in polling, the waiting was of use. Runs of which the trace tells no arguments are left alone.
 */
export const repeatedStep: SoftRule = {
  signal: 'repeated_step',
  find(trace) {
    const { tree, thresholds } = trace
    const findings: SoftFinding[] = []
    for (const { actions } of trace.runs) {
      const repeats = new Map<string, { result: string | null; steps: number[] }>()
      for (const i of actions) {
        const { kind, tool } = tree.spans[i]!.view
        const asked = kind === 'tool' && tool !== null ? trace.argumentsOf(i) : null
        if (asked === null) continue
        const step = JSON.stringify([tool, asked])
        const result = trace.fails(i) ? 'failed' : trace.resultOf(i)
        const before = repeats.get(step)
        if (before !== undefined && before.result === result) before.steps.push(i)
        else repeats.set(step, { result, steps: [i] })
      }
      for (const { steps } of repeats.values()) {
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
