import { describe, expect, test } from '@jest/globals'
import type { OtlpValue } from '../../otlp/model.ts'
import { sketchSpan } from '../../signals/trace.fixture.ts'
import { type ModelOutput, readModelOutput } from './model-output.ts'

const CALL = { id: 'call_1', name: 'find', arguments: '{"q":1}' }
const OPEN_INFERENCE_CALL = 'llm.output_messages.0.message.tool_calls.0.tool_call'
const read = (attributes: Record<string, OtlpValue>, event?: [string, Record<string, OtlpValue>]) =>
  readModelOutput(sketchSpan({ attributes, ...(event && { event }) }))
const output = (more: Partial<ModelOutput>): ModelOutput => ({
  text: '',
  calls: [],
  refusal: null,
  hasOther: false,
  finishReasons: [],
  ...more,
})
const messages = (...parts: unknown[]) => JSON.stringify([{ role: 'assistant', parts }])

describe('words', () => {
  test.each<[dialect: string, attributes: Record<string, OtlpValue>]>([
    ['gen_ai messages', { 'gen_ai.output.messages': messages({ type: 'text', content: 'Hi' }) }],
    [
      'gen_ai messages as values',
      {
        'gen_ai.output.messages': [
          new Map<string, OtlpValue>([
            [
              'parts',
              [
                new Map([
                  ['type', 'text'],
                  ['content', 'Hi'],
                ]),
              ],
            ],
          ]),
        ],
      },
    ],
    ['older messages', { 'gen_ai.output.messages': '[{"role":"assistant","content":"Hi"}]' }],
    [
      'thoughts beside them',
      { 'gen_ai.output.messages': messages({ type: 'reasoning', content: 'hm' }, { type: 'text', content: 'Hi' }) },
    ],
    ['OpenInference', { 'llm.output_messages.0.message.content': 'Hi', 'output.value': '{"content":"Hi"}' }],
    ['OpenInference in parts', { 'llm.output_messages.0.message.contents.0.message_content.text': 'Hi' }],
    ['OpenInference, raw only', { 'output.value': '{"role":"assistant","content":"Hi","tool_calls":null}' }],
    ['a raw answer', { 'output.value': 'Hi' }],
    ['OpenLLMetry', { 'gen_ai.completion.0.role': 'assistant', 'gen_ai.completion.0.content': 'Hi' }],
    ["OpenLLMetry of Anthropic's blocks", { 'gen_ai.completion.0.content': '[{"type":"text","text":"Hi"}]' }],
    ['Vercel AI SDK', { 'ai.response.text': 'Hi' }],
  ])('%s', (_dialect, attributes) => expect(read(attributes)).toEqual(output({ text: 'Hi' })))

  test.each<[dialect: string, event: [string, Record<string, OtlpValue>]]>([
    ['a choice', ['gen_ai.choice', { message: '{"content":"Hi"}' }]],
    ['a choice in a body', ['gen_ai.choice', { 'gen_ai.event.content': '{"index":0,"message":{"content":"Hi"}}' }]],
    ['a completion', ['gen_ai.content.completion', { 'gen_ai.completion': '[{"role":"assistant","content":"Hi"}]' }]],
    [
      'details',
      ['gen_ai.client.inference.operation.details', { 'gen_ai.output.messages': messages({ type: 'text', content: 'Hi' }) }],
    ],
  ])('as an event: %s', (_dialect, event) => expect(read({}, event)).toEqual(output({ text: 'Hi' })))
})

test.each<[dialect: string, attributes: Record<string, OtlpValue>]>([
  ['gen_ai messages', { 'gen_ai.output.messages': messages({ type: 'tool_call', ...CALL }) }],
  [
    'older messages',
    { 'gen_ai.output.messages': `[{"tool_calls":[{"id":"call_1","function":{"name":"find","arguments":"{\\"q\\":1}"}}]}]` },
  ],
  [
    'OpenInference',
    {
      [`${OPEN_INFERENCE_CALL}.id`]: CALL.id,
      [`${OPEN_INFERENCE_CALL}.function.name`]: CALL.name,
      [`${OPEN_INFERENCE_CALL}.function.arguments`]: CALL.arguments,
    },
  ],
  [
    'OpenLLMetry',
    {
      'gen_ai.completion.0.finish_reason': 'tool_calls',
      'gen_ai.completion.0.tool_calls.0.id': CALL.id,
      'gen_ai.completion.0.tool_calls.0.name': CALL.name,
      'gen_ai.completion.0.tool_calls.0.arguments': CALL.arguments,
    },
  ],
  ['Vercel AI SDK', { 'ai.response.toolCalls': '[{"toolCallId":"call_1","toolName":"find","args":"{\\"q\\":1}"}]' }],
])('a tool call: %s', (_dialect, attributes) => expect(read(attributes)).toEqual(output({ calls: [CALL] })))

test('several calls of several messages stay apart', () => {
  const key = (message: number, call: number) =>
    `llm.output_messages.${message}.message.tool_calls.${call}.tool_call.function.name`
  const names = [
    [0, 0],
    [0, 12],
    [1, 0],
    [1, 1],
  ].map(([message, call]) => [key(message!, call!), `f${message}${call}`])
  expect(read(Object.fromEntries(names))!.calls.map(({ name }) => name)).toEqual(['f00', 'f012', 'f10', 'f11'])
})

test.each<[what: string, attributes: Record<string, OtlpValue>, expected: ModelOutput | null]>([
  ['nothing is told', { 'gen_ai.request.model': 'm' }, null],
  ['an empty answer', { 'gen_ai.output.messages': '[]' }, output({})],
  ['a refusal', { 'gen_ai.output.messages': messages({ type: 'refusal', refusal: 'No.' }) }, output({ refusal: 'No.' })],
  ['a part that is not known', { 'gen_ai.output.messages': messages({ type: 'uri', uri: 'x' }) }, output({ hasOther: true })],
  ['messages that were cut', { 'gen_ai.output.messages': '[{"role":"assis' }, null],
  ['hostile nesting', { 'gen_ai.output.messages': '['.repeat(60_000) }, null],
  ['a name of the prototype', { 'gen_ai.output.messages': '[{"__proto__":{"content":"x"}}]' }, output({})],
])('%s', (_what, attributes, expected) => expect(read(attributes)).toEqual(expected))
