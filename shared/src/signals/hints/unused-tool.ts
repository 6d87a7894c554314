import { type AgentRun, firstAbove } from '../soft/agent-runs.ts'
import type { SoftTrace } from '../soft/soft-trace.ts'
import type { FoundHint, HintRule } from './hint.ts'

/** Names as tools have them, where the plan speaks of using one; other words with an underscore are data. */
const TOOL_NAMES =
  /\b(?:use|using|call|calling|ask|asking|instruct|via|through|with|employ|run|invoke|query) (?:\w+ ){0,3}[`'"]?([a-z][a-z0-9]{1,30}(?:_[a-z0-9]{1,30}){1,5})\b|\b([a-z][a-z0-9]{1,30}(?:_[a-z0-9]{1,30}){1,5})[`'"]? (?:tool|agent|team member|function)\b/gi
/** A plan: a list with at least three numbered points. */
const POINT = /^\s{0,8}\d{1,2}[.)] /gm
const POINTS_MIN = 3
const NAMES_MAX = 64
/** Of a run: the plans looked at, and the turns after each in which a tool's use is looked for. */
const PLANS_MAX = 20
const TURNS_MAX = 500

/** A plan that names tools, of which the run calls none: the turn after the plan left it. */
export const unusedTool: HintRule = (trace) =>
  trace.runs.flatMap((run) => {
    const plans = run.turns.slice(0, -1).flatMap((turn, n) => ({ turn, n, named: toolsPlanned(trace, turn) }))
    return plans
      .filter(({ named }) => named.length > 0)
      .slice(0, PLANS_MAX)
      .filter(({ turn, named }) => !named.some((name) => isUsed(trace, run, turn, name)))
      .map(({ n, named }): FoundHint => {
        const because = `the plan names ${named.slice(0, 5).join(', ')}, and none ran`
        return { at: run.turns[n + 1]!, kind: 'unused_tool', because }
      })
  })

function toolsPlanned(trace: SoftTrace, turn: number): string[] {
  const output = trace.outputOf(turn)
  if (output === null || output.calls.length > 0 || output.text.includes('```')) return []
  if ([...output.text.matchAll(POINT)].length < POINTS_MIN) return []
  const names = [...output.text.matchAll(TOOL_NAMES)].slice(0, NAMES_MAX).map(([, used, named]) => used ?? named!)
  // Giving the answer is no use of a tool.
  return [...new Set(names)].filter((name) => !/answer/.test(name))
}

function isUsed(trace: SoftTrace, { turns, actions }: AgentRun, after: number, name: string): boolean {
  const { spans } = trace.tree
  return (
    actions.some((i) => i > after && (spans[i]!.view.tool === name || spans[i]!.view.agent === name)) ||
    turns
      .slice(firstAbove(turns, after))
      .slice(0, TURNS_MAX)
      .some((i) => says(trace, i, name))
  )
}

function says(trace: SoftTrace, turn: number, name: string): boolean {
  const output = trace.outputOf(turn)
  return output !== null && (output.text.includes(`${name}(`) || output.calls.some((call) => call.name === name))
}
