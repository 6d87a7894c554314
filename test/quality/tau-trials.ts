import type { ObservedRun } from '@loopkit/shared/eval-candidate/model'
import { recordsOfRequest } from '@loopkit/shared/eval-candidate/records-of-spans'
import { runOfRecords } from '@loopkit/shared/eval-candidate/run-of-records'
import { attributes, type SpanJson, spanJson, type TraceRequestJson } from '../harness/otlp-json.ts'
import { readJsonSet } from './read-set.ts'

/** One trial of a task, seen as the run that its telemetry tells. */
export interface Trial {
  task: number
  trial: number
  isPassing: boolean
  run: ObservedRun
}

interface SentTrial {
  task_id: number
  trial: number
  reward: number
  traj: SentMessage[]
}

interface SentMessage {
  role: string
  content: string | null
  name?: string
  tool_calls?: { id: string; function: { name: string; arguments: string } }[]
}

/** The trials of the file, each sent as an instrumented agent would send it and read back as the product reads traces. */
export function readTrials(path: string): Trial[] {
  const sent = readJsonSet(path) as SentTrial[]
  return sent.map(({ task_id: task, trial, reward, traj }, at) => {
    const records = recordsOfRequest(Buffer.from(JSON.stringify(toRequest(traj, at + 1))))
    return { task, trial, isPassing: reward === 1, run: runOfRecords(records) }
  })
}

/** No word of the reward is sent: what is scored must be told from what the agent did. */
function toRequest(messages: readonly SentMessage[], number: number): TraceRequestJson {
  const traceId = number.toString(16).padStart(32, '0')
  const idOf = (at: number) => (at + 1).toString(16).padStart(16, '0')
  const root = idOf(0)
  const spanAt = (at: number, more: Partial<SpanJson>) =>
    spanJson({
      traceId,
      spanId: idOf(at),
      startTimeUnixNano: String(BigInt(at) * 1_000_000_000n + 1_781_856_000_000_000_000n),
      endTimeUnixNano: String(BigInt(at) * 1_000_000_000n + 1_781_856_000_500_000_000n),
      ...(at > 0 && { parentSpanId: root }),
      ...more,
    })
  const agent = spanAt(0, { name: 'invoke_agent', attributes: attributes({ 'gen_ai.operation.name': 'invoke_agent' }) })
  let asked: { name: string; arguments: string }[] = []
  const steps = messages.flatMap((message, at) => {
    if (message.role === 'assistant') {
      asked = (message.tool_calls ?? []).map((call) => call.function)
      return [spanAt(at + 1, { name: 'chat', attributes: attributes(chatAttributes(message)) })]
    }
    const call = message.role === 'tool' ? asked.shift() : undefined
    if (call === undefined) return []
    const told = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': call.name,
      'gen_ai.tool.call.arguments': call.arguments,
      'gen_ai.tool.call.result': message.content ?? '',
    }
    return [spanAt(at + 1, { name: `execute_tool ${call.name}`, attributes: attributes(told) })]
  })
  return { resourceSpans: [{ scopeSpans: [{ spans: [agent, ...steps] }] }] }
}

function chatAttributes({ content, tool_calls: calls = [] }: SentMessage) {
  const parts = [
    ...(content === null ? [] : [{ type: 'text', content }]),
    ...calls.map(({ id, function: { name, arguments: given } }) => ({ type: 'tool_call', id, name, arguments: given })),
  ]
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts }]),
  }
}
