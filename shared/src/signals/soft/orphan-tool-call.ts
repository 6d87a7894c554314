import type { OtlpSpan } from '../../otlp/model.ts'
import { jsonOf, partOf, partsOf, textIn } from '../../span/steps/json-parts.ts'
import type { ToolCall } from '../../span/steps/model-output.ts'
import { INPUT_MESSAGES_KEYS } from '../../span/steps/step-keys.ts'
import { readToolCallId } from '../../span/steps/tool-io.ts'
import { NO_PARENT } from '../trace-tree.ts'
import { type AgentRun, between } from './agent-runs.ts'
import { healthyTurns, type SoftFinding, type SoftRule, type Turn } from './rule.ts'
import type { SoftTrace } from './soft-trace.ts'

/**
 * A model asked for a tool, and nothing ran it. Many programs send no spans of their tools, so silence alone says nothing: the run
 * must show that its tools are seen (this tool ran another time, or another call of the same turn did), or the next turn's input,
 * recorded, repeats the call and holds no answer to it.
 */
export const orphanToolCall: SoftRule = {
  signal: 'orphan_tool_call',
  find(trace) {
    const seenBy = new Map(trace.runs.map((run) => [run, seenOf(trace, run)]))
    return healthyTurns(trace).flatMap((turn) => orphansOf(trace, turn, seenBy.get(turn.run)!))
  },
}

/** What a run shows of its tools. Of this run only: where one agent's tool has a span, another's of the same name may have none. */
interface Seen {
  tools: ReadonlySet<string>
  callIds: ReadonlySet<string>
  idOf: ReadonlyMap<number, string>
}

function seenOf({ tree }: SoftTrace, { actions }: AgentRun): Seen {
  const idOf = new Map<number, string>()
  for (const i of actions) {
    const id = readToolCallId(tree.spans[i]!.span)
    if (id !== null) idOf.set(i, id)
  }
  return { tools: new Set(actions.flatMap((i) => tree.spans[i]!.view.tool ?? [])), callIds: new Set(idOf.values()), idOf }
}

function orphansOf(trace: SoftTrace, turn: Turn, seen: Seen): SoftFinding[] {
  const calls = trace.outputOf(turn.at)?.calls ?? []
  if (calls.length === 0) return []
  const executed = createExecuted(trace, turn, seen)
  const missing = calls.filter((call) => call.name !== null && !executed(call))
  const someRan = missing.length < calls.length
  const orphans = missing.filter((call) => {
    const told = answerTo(trace, turn, call)
    return told === 'none' || (told === 'unknown' && (someRan || seen.tools.has(call.name!)))
  })
  if (orphans.length === 0 || orphans.length < trace.thresholds.orphanToolCallMin) return []
  const names = [...new Set(orphans.map(({ name }) => name))].sort().join(', ')
  const because = `no span and no result of ${names}`
  return [{ at: turn.at, errorType: names, message: `${names} was called and never ran`, because }]
}

/** Takes the calls of a turn one after the other, each with a run of its own: the one of its id, else one of its name. */
function createExecuted(trace: SoftTrace, { at: turn, next, run }: Turn, { callIds, idOf }: Seen): (call: ToolCall) => boolean {
  const { spans } = trace.tree
  const asked = new Set(trace.outputOf(turn)!.calls.map(({ id }) => id))
  const free = between(run.actions, turn, next ?? Number.POSITIVE_INFINITY).filter((i) => !asked.has(idOf.get(i) ?? ''))
  return ({ id, name }) => {
    if (id !== null && callIds.has(id)) return true
    const at = free.findIndex((i) => {
      const { kind, tool, agent } = spans[i]!.view
      return kind === 'tool' ? tool === null || tool === name : agent === null || agent === name || tool === name
    })
    // An agent that was called as a tool goes by a name of its own.
    const taken = at >= 0 ? at : free.findIndex((i) => spans[i]!.view.kind === 'agent')
    if (taken < 0) return false
    free.splice(taken, 1)
    return true
  }
}

/** Before the id of a result, and not before that of a call. */
const RESULT =
  /tool_call_response|tool_result|tool-result|toolResult|tool_call_id|toolCallId|function_call_output|function_response|"role":\s?"tool"|observation:/i
const BEFORE_ID_CHARS = 160
const AROUND_CALL_CHARS = 400

/** What the next turn's input says of a call: its id stands there with the call, and again with its result. */
function answerTo({ tree }: SoftTrace, { next, run }: Turn, { id, name }: ToolCall): 'some' | 'none' | 'unknown' {
  const input = next === null ? null : inputOf(tree.spans[next]!.span)
  if (input === null) return 'unknown'
  const at = id === null ? -1 : input.indexOf(id)
  if (at < 0) return run.agent !== NO_PARENT && goesOnWithoutResult(input) ? 'none' : 'unknown'
  const isAgain = input.includes(id!, at + id!.length)
  if (isAgain || RESULT.test(input.slice(Math.max(0, at - BEFORE_ID_CHARS), at))) return 'some'
  return input.slice(Math.max(0, at - AROUND_CALL_CHARS), at + AROUND_CALL_CHARS).includes(name!) ? 'none' : 'unknown'
}

/**
 * An input that goes on with a conversation, told as messages with their roles, of which none is a tool's: providers take no call without
 * its result. One that holds no word of the model's is another conversation: there the call was the answer.
 */
function goesOnWithoutResult(input: string): boolean {
  const parsed = jsonOf(input)
  const messages = partsOf(Array.isArray(parsed) ? parsed : partOf(parsed)?.get('messages'))
  if (messages.length === 0 || messages.some((message) => textIn(message, 'role') === null)) return false
  const roles = messages.map((message) => textIn(message, 'role')!)
  return !RESULT.test(input) && roles.some((role) => MODEL.test(role)) && !roles.some((role) => TOOL.test(role))
}

const MODEL = /^(?:assistant|ai|model)$/i
const TOOL = /tool|function|ipython|observation/i

function inputOf({ attributes }: OtlpSpan): string | null {
  for (const key of INPUT_MESSAGES_KEYS) {
    const value = attributes.get(key)
    if (typeof value === 'string') return value
  }
  return null
}
