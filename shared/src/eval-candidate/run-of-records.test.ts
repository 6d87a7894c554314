import { expect, test } from '@jest/globals'
import { recordsOfRequest } from './records-of-spans.ts'
import { runOfRecords } from './run-of-records.ts'
import { writesOf } from './tool-effects.ts'

const GIVEN = { order_id: 'A1', amount: 12 }
const asked = JSON.stringify(GIVEN)

/** One tool's run in the words of each instrumentation: its name, what it was asked, what it answered. */
const dialects: [dialect: string, name: string, attributes: (answer: string) => Record<string, string>][] = [
  [
    'OpenTelemetry',
    'execute_tool cancel_order',
    (answer) => ({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'cancel_order',
      'gen_ai.tool.call.arguments': asked,
      'gen_ai.tool.call.result': answer,
    }),
  ],
  [
    'OpenInference',
    'cancel_order',
    (answer) => ({
      'openinference.span.kind': 'TOOL',
      'tool.name': 'cancel_order',
      'input.value': asked,
      'output.value': answer,
    }),
  ],
  [
    'OpenLLMetry',
    'cancel_order.tool',
    (answer) => ({
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': 'cancel_order',
      'traceloop.entity.input': asked,
      'traceloop.entity.output': answer,
    }),
  ],
  [
    'OpenLLMetry around a function',
    'cancel_order.tool',
    (answer) => ({
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': 'cancel_order',
      'traceloop.entity.input': JSON.stringify({ args: [], kwargs: GIVEN }),
      'traceloop.entity.output': answer,
    }),
  ],
  [
    'OpenLLMetry around LangChain',
    'cancel_order.tool',
    (answer) => ({
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': 'cancel_order',
      'traceloop.entity.input': JSON.stringify({
        input_str: asked,
        tags: [],
        metadata: {},
        inputs: GIVEN,
        kwargs: { name: 'cancel_order' },
      }),
      'traceloop.entity.output': JSON.stringify({ output: answer, kwargs: {} }),
    }),
  ],
  [
    'OpenLLMetry around LangChain, the input as text alone',
    'cancel_order.tool',
    (answer) => ({
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': 'cancel_order',
      'traceloop.entity.input': JSON.stringify({ input_str: asked, tags: [], metadata: {}, inputs: null, kwargs: {} }),
      'traceloop.entity.output': JSON.stringify({ output: answer, kwargs: {} }),
    }),
  ],
  [
    'Vercel AI SDK',
    'ai.toolCall',
    (answer) => ({
      'ai.operationId': 'ai.toolCall',
      'ai.toolCall.name': 'cancel_order',
      'ai.toolCall.args': asked,
      'ai.toolCall.result': answer,
    }),
  ],
  [
    'LangSmith',
    'cancel_order',
    (answer) => ({
      'langsmith.span.kind': 'tool',
      'gen_ai.tool.name': 'cancel_order',
      'gen_ai.prompt': asked,
      'gen_ai.completion': answer,
    }),
  ],
  [
    'Langfuse',
    'cancel_order',
    (answer) => ({
      'langfuse.observation.type': 'tool',
      'langfuse.observation.input': asked,
      'langfuse.observation.output': answer,
    }),
  ],
]

function runOf(name: string, attributes: Record<string, string>) {
  const span = {
    traceId: '1'.repeat(32),
    spanId: '1'.repeat(16),
    name,
    startTimeUnixNano: '1781856000000000000',
    endTimeUnixNano: '1781856000500000000',
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  }
  return runOfRecords(recordsOfRequest(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }))))
}

test.each(dialects)('what a tool changed is the same in the words of %s', (_dialect, name, attributes) => {
  const { calls } = runOf(name, attributes('{"status":"cancelled"}'))
  expect(writesOf(calls!)).toEqual(['{"tool":"cancel_order","arguments":{"amount":12,"order_id":"A1"}}'])
})

test.each(dialects)('a tool that answered with an error changed nothing in the words of %s', (_dialect, name, attributes) => {
  const { calls } = runOf(name, attributes('Error: order not found'))
  expect(calls).toMatchObject([{ tool: 'cancel_order', failed: true }])
  expect(writesOf(calls!)).toEqual([])
})
