import type { OtlpSpan } from '../../otlp/model.ts'
import type { ToolCall } from '../../span/steps/model-output.ts'
import { INPUT_MESSAGES_KEYS } from '../../span/steps/step-keys.ts'
import { readToolCallId } from '../../span/steps/tool-io.ts'
import type { AgentRun } from './agent-runs.ts'
import { healthyTurns, type SoftFinding, type SoftRule } from './rule.ts'
import type { SoftTrace } from './soft-trace.ts'

/**
 * A model asked for a tool, and nothing ran it. Many programs send no spans of their tools, so silence alone says nothing: the run
 * must show that its tools are seen (this tool ran another time, or another call of the same turn did), or it went on to another turn
 * whose input, recorded, holds no answer to the call.
 */
export const orphanToolCall: SoftRule = {
  signal: 'orphan_tool_call',
  find(trace) {
    const healthy = new Set(healthyTurns(trace))
    return trace.runs.flatMap((run) => {
      // Of this run only: where one agent's tool has a span, another's of the same name may have none.
      const seen = toolsSeen(trace, run)
      const orphans = run.turns.flatMap((turn, at) =>
        healthy.has(turn) ? orphansOf(trace, run, { turn, next: run.turns[at + 1] ?? null, seen }) : [],
      )
      return orphans
    })
  },
}

interface Place {
  turn: number
  next: number | null
  seen: ReadonlySet<string>
}

function orphansOf(trace: SoftTrace, run: AgentRun, place: Place): SoftFinding[] {
  const { turn, next, seen } = place
  const calls = trace.outputOf(turn)?.calls ?? []
  if (calls.length === 0) return []
  const executed = createExecuted(trace, run, place)
  const missing = calls.filter((call) => call.name !== null && !executed(call))
  const someRan = missing.length < calls.length
  const orphans = missing.filter(
    (call) => (someRan || seen.has(call.name!) || wentOnWithout(trace, next, call)) && !isAnswered(trace, next, call),
  )
  if (orphans.length === 0 || orphans.length < trace.thresholds.orphanToolCallMin) return []
  const names = [...new Set(orphans.map(({ name }) => name))].sort().join(', ')
  return [
    { at: turn, errorType: names, message: `${names} was called and never ran`, because: `no span and no result of ${names}` },
  ]
}

/** Takes the calls of a turn one after the other, each with a run of its own: the one of its id, else one of its name. */
function createExecuted(trace: SoftTrace, run: AgentRun, { turn, next }: Place): (call: ToolCall) => boolean {
  const { tree } = trace
  const idOf = (i: number) => readToolCallId(tree.spans[i]!.span)
  const ran = new Set(run.actions.flatMap((i) => idOf(i) ?? []))
  const asked = new Set(trace.outputOf(turn)!.calls.map(({ id }) => id))
  const free = run.actions.filter((i) => i > turn && (next === null || i < next) && !asked.has(idOf(i) ?? ''))
  return ({ id, name }) => {
    if (id !== null && ran.has(id)) return true
    const at = free.findIndex((i) => {
      const { kind, tool, agent } = tree.spans[i]!.view
      return kind === 'tool' ? tool === null || tool === name : agent === null || agent === name || tool === name
    })
    // An agent that was called as a tool goes by a name of its own.
    const other = at >= 0 ? at : free.findIndex((i) => tree.spans[i]!.view.kind === 'agent')
    if (other < 0) return false
    free.splice(other, 1)
    return true
  }
}

function toolsSeen({ tree }: SoftTrace, { actions }: AgentRun): Set<string> {
  return new Set(actions.flatMap((i) => tree.spans[i]!.view.tool ?? []))
}

/** The next turn's input is recorded whole and names other results, not this one's. */
function wentOnWithout({ tree }: SoftTrace, next: number | null, { id }: ToolCall): boolean {
  if (next === null || id === null) return false
  const input = inputOf(tree.spans[next]!.span)
  return input !== null && input.length < INPUT_WHOLE_MAX_CHARS
}

/** An input that is as long as this may have been cut. */
const INPUT_WHOLE_MAX_CHARS = 16_000

function isAnswered({ tree }: SoftTrace, next: number | null, { id }: ToolCall): boolean {
  if (next === null || id === null) return false
  const input = inputOf(tree.spans[next]!.span)
  return input !== null && countOf(input, id) > 1
}

/** The call itself stands there once, with the model's words; its result repeats the id. */
function countOf(text: string, words: string): number {
  let count = 0
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) count++
  return count
}

function inputOf({ attributes }: OtlpSpan): string | null {
  for (const key of INPUT_MESSAGES_KEYS) {
    const value = attributes.get(key)
    if (typeof value === 'string') return value
  }
  return null
}
