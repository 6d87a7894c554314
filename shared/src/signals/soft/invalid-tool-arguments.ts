import { JSON_MAX_CHARS, jsonOf, partOf } from '../../span/steps/json-parts.ts'
import type { ToolCall } from '../../span/steps/model-output.ts'
import { rawToolArguments } from '../../span/steps/tool-io.ts'
import type { ToolSchema } from '../../span/steps/tools-offered.ts'
import { type AgentRun, between } from './agent-runs.ts'
import { healthyTools, healthyTurns, type SoftFinding, type SoftRule } from './rule.ts'
import type { SoftTrace } from './soft-trace.ts'

/**
 * A model asked for a tool with arguments that are no JSON, miss a required one, or name one that the tool does not have. A call
 * that the tool took all the same is no trouble; a call that made the tool fail is blamed there.
 */
export const invalidToolArguments: SoftRule = {
  signal: 'invalid_tool_arguments',
  find: (trace) => [
    ...malformed(trace),
    ...healthyTurns(trace).flatMap(({ at, run, next }) => {
      const invalid = invalidCalls(trace, at)
      if (invalid.length === 0 || invalid.length < trace.thresholds.invalidToolArgumentsMin || wasTaken(run, at, next)) return []
      const [{ call, why }] = invalid as [InvalidCall]
      return [
        {
          at,
          errorType: call.name,
          message: `arguments of ${call.name} ${why}`,
          because: invalid.map((one) => `${one.call.name}: ${one.why}`).join('; '),
        } satisfies SoftFinding,
      ]
    }),
  ],
}

/** Shorter than where senders cut; a longer text must at least end like an object. */
const UNCUT_MAX_CHARS = 120

/** Tools that ran on what looks like JSON and is none. Other languages' spellings of an object begin in other ways. */
function malformed(trace: SoftTrace): SoftFinding[] {
  return healthyTools(trace).flatMap((at) => {
    const { span, view } = trace.tree.spans[at]!
    const text = rawToolArguments(span)?.trim() ?? ''
    const isWhole = text.length < UNCUT_MAX_CHARS || text.endsWith('}')
    if (!/^\{\s*"/.test(text) || !isWhole || jsonOf(text) !== undefined || text.length > JSON_MAX_CHARS) return []
    const said = `arguments of ${view.tool} are no JSON object`
    return [{ at, errorType: view.tool, message: said, because: said }]
  })
}

export interface InvalidCall {
  call: ToolCall
  why: string
}

/** Calls of a turn whose arguments do not fit, by what the telemetry tells of the tools. */
export function invalidCalls(trace: SoftTrace, turn: number): InvalidCall[] {
  const calls = trace.outputOf(turn)?.calls ?? []
  if (calls.length === 0) return []
  const tools = trace.toolsOf(turn)
  return calls.flatMap((call) => {
    const why = call.name === null ? null : misfit(call.arguments, tools.get(call.name))
    return why === null ? [] : [{ call, why }]
  })
}

function misfit(given: unknown, tool: ToolSchema | undefined): string | null {
  if (given === null || given === undefined) return null
  const text = typeof given === 'string' ? given.trim() : null
  // Empty text stands for no arguments with most providers; a Python dict is how an instrumentation wrote down a valid call.
  if (text === '' || (text?.startsWith('{') && /^\{\s*'/.test(text))) return null
  const parsed = partOf(typeof given === 'string' ? jsonOf(given) : given)
  if (parsed === null) return text === null || isCut(text) ? null : 'are no JSON object'
  if (parsed.has('')) return 'hold a name that is empty'
  if (tool === undefined) return null
  const missing = tool.required.find((name) => !parsed.has(name))
  if (missing !== undefined) return `miss "${missing.slice(0, 80)}"`
  const { properties } = tool
  const unknown = tool.isOpen || properties === null ? undefined : [...parsed.keys()].find((name) => !properties.has(name))
  return unknown === undefined ? null : `name "${unknown.slice(0, 80)}", which the tool does not have`
}

/** Long texts are cut by who records them. */
function isCut(text: string): boolean {
  return text.length > 1_000 || text.endsWith('…') || text.endsWith('...')
}

/** Whatever ran between this turn and the next was the call: the tool took the arguments, or failed and is blamed for it. */
function wasTaken({ actions }: AgentRun, turn: number, next: number | null): boolean {
  return between(actions, turn, next ?? Number.POSITIVE_INFINITY).length > 0
}
