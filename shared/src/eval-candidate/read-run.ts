import { TOOL_ERROR_HEAD } from '../signals/tool-error-head.ts'
import type { JsonValue } from '../span/record.ts'
import type { ObservedRun, RunCall } from './model.ts'

/**
 * A run from what its own program wrote down: text, a conversation in the usual chat messages, or the observed run itself.
 * Embedded in exported tests like the checks, so it uses nothing but them.
 */

interface Message {
  role?: unknown
  content?: unknown
  tool_calls?: unknown
  tool_call_id?: unknown
}

/** What was written as JSON is read as such, and anything else is the output itself. */
export function readRun(written: unknown): ObservedRun {
  const value = typeof written === 'string' ? parsed(written) : written
  if (isObject(value)) {
    if (Array.isArray(value.messages)) return runOfMessages(value.messages)
    if (Array.isArray(value.calls) || Array.isArray(value.tool_calls) || Array.isArray(value.operations))
      return runOfObject(value)
    if (typeof value.output === 'string') return runOfObject(value)
  }
  if (Array.isArray(value) && value.length > 0 && value.every((one) => isObject(one) && typeof one.role === 'string'))
    return runOfMessages(value)
  const output = typeof written === 'string' ? written : JSON.stringify(written ?? null)
  return { operations: null, isComplete: false, calls: null, output }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value that a text spells as JSON, else the text. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** `{output, tool_calls}` of a harness, or an observed run as an export holds it. */
export function runOfObject(value: Record<string, unknown>): ObservedRun {
  const listed = Array.isArray(value.calls) ? value.calls : Array.isArray(value.tool_calls) ? value.tool_calls : null
  return {
    operations: Array.isArray(value.operations) ? value.operations : null,
    isComplete: value.isComplete === true,
    calls: listed === null ? null : listed.flatMap((call) => callOf(call) ?? []),
    output: typeof value.output === 'string' ? value.output : null,
  }
}

/** A call in whichever shape: `{tool | name, arguments, failed}` or `{function: {name, arguments}}`. */
export function callOf(call: unknown): RunCall | null {
  if (!isObject(call)) return null
  const named = isObject(call.function) ? call.function : call
  const tool = typeof named.tool === 'string' ? named.tool : named.name
  if (typeof tool !== 'string') return null
  const given = named.arguments ?? named.args ?? named.input ?? {}
  const value = (typeof given === 'string' ? parsed(given) : given) as JsonValue
  return { tool, arguments: value, failed: call.failed === true || (typeof call.error === 'string' && call.error !== '') }
}

/** Each call goes with the answer to it that comes next: by its id where it has one, else in order. */
export function runOfMessages(messages: readonly Message[]): ObservedRun {
  const calls: RunCall[] = []
  let waiting: { id: unknown; call: RunCall }[] = []
  let output: string | null = null
  for (const message of messages) {
    if (!isObject(message)) continue
    if (message.role === 'tool') {
      const own = waiting.findIndex(({ id }) => id !== undefined && id === message.tool_call_id)
      const [answered] = waiting.splice(Math.max(own, 0), 1)
      if (answered && TOOL_ERROR_HEAD.test(textOf(message.content))) answered.call.failed = true
    } else if (message.role === 'assistant') {
      const asked = Array.isArray(message.tool_calls) ? message.tool_calls : []
      waiting = asked.flatMap((one) => {
        const call = callOf(one)
        return call === null ? [] : [{ id: isObject(one) ? one.id : undefined, call }]
      })
      calls.push(...waiting.map(({ call }) => call))
      if (textOf(message.content) !== '') output = textOf(message.content)
    }
  }
  return { operations: calls.map(toOperation), isComplete: false, calls, output }
}

/** A call as work that was done, so that a test of a tool's failure reads it as well. */
export function toOperation({ tool, failed }: RunCall) {
  return { service: null, operation: `execute_tool ${tool}`, signal: failed ? 'tool_failure' : null, message: null }
}

export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('')
}
