import type { AgentRun } from '../soft/agent-runs.ts'
import type { SoftTrace } from '../soft/soft-trace.ts'
import type { FoundHint, HintRule } from './hint.ts'

const CLAIMS =
  /\b(?:verif\w+|confirm\w*|found|according to|based on|research\w*|retriev\w+|search\w*|source\w*|consult\w*|evidence|gathered|reports?)\b/gi
const CLAIMS_MIN = 2
const GUESSES = /\b(?:assum\w*|simulat\w*|i recall|known|hypothe\w*|knowledge|presum\w*|i believe|likely|typical\w*)\b/i
const SIMULATES = /\b(?:simulat\w*|pretend\w*|hypothetical\w*|fabricat\w*|made[- ]up)\b/i
const CODE = /```/
const TROUBLE =
  /\b(?:(?:a |an )?(?:different|another|alternative|simpler|more general|better) approach|try again|apologi[sz]e for|(?:didn['’]?t|did not|does(?:n['’]?t| not)) (?:find|match|work)|i need to fix|previous (?:attempt|approach|search) (?:failed|did))/i

/** The answer of a run in which nothing was done, with words of research or of a guess: a claim that nothing supports. */
export const unsupportedAnswer: HintRule = (trace) =>
  trace.runs.flatMap((run): FoundHint[] => {
    const at = run.turns.at(-1)
    if (at === undefined || hasActed(trace, run, at)) return []
    const text = trace.outputOf(at)?.text ?? ''
    const claims = [...text.matchAll(CLAIMS)].length
    const guess = GUESSES.exec(text)?.[0]
    if (claims < CLAIMS_MIN && guess === undefined) return []
    const because =
      claims < CLAIMS_MIN ? `says "${guess}" and nothing was looked up` : `${claims} words of research and nothing was looked up`
    return [{ at, kind: 'unsupported_answer', because }]
  })

/** A tool, another agent, or code of the model's own came before this turn. */
function hasActed(trace: SoftTrace, { turns, actions }: AgentRun, before: number): boolean {
  if (actions.some((i) => i < before)) return true
  return turns.some((i) => i < before && ((trace.outputOf(i)?.calls.length ?? 0) > 0 || CODE.test(trace.outputOf(i)?.text ?? '')))
}

/** An agent that acts says that it only plays at it. */
export const simulatedWork: HintRule = (trace) =>
  trace.runs.flatMap(({ turns }) =>
    turns.flatMap((at): FoundHint[] => {
      const output = trace.outputOf(at)
      if (output === null || !(CODE.test(output.text) || output.calls.length > 0)) return []
      const found = SIMULATES.exec(output.text)?.[0]
      return found === undefined ? [] : [{ at, kind: 'simulated_work', because: `says "${found}"` }]
    }),
  )

export const selfReportedTrouble: HintRule = (trace) =>
  trace.runs.flatMap(({ turns }) =>
    turns.slice(1).flatMap((at): FoundHint[] => {
      const found = TROUBLE.exec(trace.outputOf(at)?.text ?? '')?.[0]
      return found === undefined ? [] : [{ at, kind: 'self_reported_trouble', because: `says "${found}"` }]
    }),
  )
