import type { AgentRun } from '../soft/agent-runs.ts'
import type { SoftTrace } from '../soft/soft-trace.ts'
import type { FoundHint, HintRule } from './hint.ts'

/** Names as tools have them, where the plan speaks of using one; other words with an underscore are data. */
const TOOL_NAMES =
  /\b(?:use|using|call|calling|ask|asking|instruct|via|through|with|employ|run|invoke|query) (?:\w+ ){0,3}[`'"]?([a-z][a-z0-9]{1,30}(?:_[a-z0-9]{1,30}){1,5})\b|\b([a-z][a-z0-9]{1,30}(?:_[a-z0-9]{1,30}){1,5})[`'"]? (?:tool|agent|team member|function)\b/gi
/** A plan: a list with at least three numbered points. */
const POINT = /^\s{0,8}\d{1,2}[.)] /gm
const POINTS_MIN = 3
const NAMES_MAX = 64

/** A plan that names tools, of which the run calls none: the turn after the plan left it. */
export const unusedTool: HintRule = (trace) =>
  trace.runs.flatMap((run) =>
    run.turns.flatMap((plan, n): FoundHint[] => {
      const next = run.turns[n + 1]
      const named = next === undefined ? [] : toolsPlanned(trace, plan)
      if (named.length === 0 || named.some((name) => isUsed(trace, run, plan, name))) return []
      return [{ at: next!, kind: 'unused_tool', because: `the plan names ${named.slice(0, 5).join(', ')}, and none ran` }]
    }),
  )

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
    turns.some((i) => i > after && says(trace, i, name))
  )
}

function says(trace: SoftTrace, turn: number, name: string): boolean {
  const output = trace.outputOf(turn)
  return output !== null && (output.text.includes(`${name}(`) || output.calls.some((call) => call.name === name))
}
