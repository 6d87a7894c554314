import { expect, test } from '@jest/globals'
import { readRun } from './read-run.ts'
import { recordsOfRequest } from './records-of-spans.ts'
import { runOfRecords } from './run-of-records.ts'

const asked = (id: string, name: string, given: string) => ({ id, function: { name, arguments: given } })

test('chat messages tell calls, which of them failed, and the last words', () => {
  const messages = [
    { role: 'user', content: 'cancel a' },
    { role: 'assistant', content: null, tool_calls: [asked('1', 'cancel_order', '{"id":"a"}'), asked('2', 'get_order', '{}')] },
    { role: 'tool', tool_call_id: '2', content: '{}' },
    { role: 'tool', tool_call_id: '1', content: 'Error: no such order' },
    { role: 'assistant', content: [{ type: 'text', text: 'Done' }] },
  ]
  for (const written of [JSON.stringify(messages), { messages }]) {
    expect(readRun(written)).toMatchObject({
      calls: [
        { tool: 'cancel_order', arguments: { id: 'a' }, failed: true },
        { tool: 'get_order', failed: false },
      ],
      output: 'Done',
    })
  }
})

test.each<[written: unknown, output: string | null, calls: number | null]>([
  ['just words', 'just words', null],
  ['{"half', '{"half', null],
  ['[1,2]', '[1,2]', null],
  [null, 'null', null],
  [{ output: 'x', tool_calls: [{ name: 'a', arguments: {} }, null, { x: 1 }] }, 'x', 1],
  [{ tool_calls: [] }, null, 0],
  [[{ role: 'assistant', content: 'x', tool_calls: 'none' }], 'x', 0],
])('%j is read as far as it tells', (written, output, calls) => {
  const run = readRun(written)
  expect([run.output, run.calls?.length ?? null]).toEqual([output, calls])
})

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const span = (id: string, name: string, more: object) => ({
  traceId: 'ab'.repeat(16),
  spanId: id.repeat(16),
  name,
  startTimeUnixNano: `${Number.parseInt(id, 16)}000000000`,
  endTimeUnixNano: `${Number.parseInt(id, 16) + 1}000000000`,
  ...more,
})
const tool = (id: string, name: string, given: string, result: string) =>
  span(id, `execute_tool ${name}`, {
    parentSpanId: '1'.repeat(16),
    attributes: [
      attribute('gen_ai.operation.name', 'execute_tool'),
      attribute('gen_ai.tool.name', name),
      attribute('gen_ai.tool.call.arguments', given),
      attribute('gen_ai.tool.call.result', result),
    ],
  })

test('a trace tells what ran, with its signals, and its calls in order of time', () => {
  const spans = [
    span('1', 'invoke_agent', { attributes: [attribute('gen_ai.operation.name', 'invoke_agent')] }),
    tool('3', 'cancel_order', '{"id":"a"}', 'ok'),
    tool('2', 'cancel_order', '{"id":"b"}', 'Error: no such order'),
  ]
  const records = recordsOfRequest(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })))
  const run = runOfRecords(records)
  expect(run.calls).toEqual([
    { tool: 'cancel_order', arguments: { id: 'b' }, failed: true },
    { tool: 'cancel_order', arguments: { id: 'a' }, failed: false },
  ])
  expect(run.operations).toHaveLength(3)
  expect(run.operations!.filter(({ signal }) => signal === 'tool_failure')).toMatchObject([{ message: 'Error: no such order' }])
  const healthy = records.find(({ span_id }) => span_id === '3'.repeat(16))!
  expect(runOfRecords(records, healthy.record_id).operations).toMatchObject([{ signal: null }])
})
