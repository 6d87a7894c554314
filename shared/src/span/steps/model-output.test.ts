import { describe, expect, test } from '@jest/globals'
import type { OtlpValue } from '../../otlp/model.ts'
import { sketchSpan } from '../../signals/trace.fixture.ts'
import { type ModelOutput, readFinishReasons, readModelOutput } from './model-output.ts'

const CALL = { id: 'call_1', name: 'find', arguments: '{"q":1}' }
const OPEN_INFERENCE_CALL = 'llm.output_messages.0.message.tool_calls.0.tool_call'
const read = (attributes: Record<string, OtlpValue>, event?: [string, Record<string, OtlpValue>]) =>
  readModelOutput(sketchSpan({ attributes, ...(event && { event }) }))
const output = (more: Partial<ModelOutput>): ModelOutput => ({
  text: '',
  calls: [],
  refusal: null,
  hasOther: false,
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
    ["OpenAI's answer, raw", { 'output.value': '{"choices":[{"message":{"role":"assistant","content":"Hi"}}]}' }],
    [
      'the Responses API, raw',
      { 'output.value': '{"output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}]}' },
    ],
    ["Anthropic's answer, raw", { 'output.value': '{"type":"message","content":[{"type":"text","text":"Hi"}]}' }],
    ["Gemini's answer, raw", { 'output.value': '{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"}}]}' }],
    ["Bedrock's Converse, raw", { 'output.value': '{"output":{"message":{"content":[{"text":"Hi"}]}},"stopReason":"end_turn"}' }],
    ['Ollama, raw', { 'output.value': '{"message":{"role":"assistant","content":"Hi"},"done_reason":"stop"}' }],
    ['LangChain, serialized', { 'gen_ai.completion': '{"generations":[[{"text":"Hi","message":{"kwargs":{"content":"Hi"}}}]]}' }],
    ['Langfuse', { 'langfuse.observation.output': '[{"role":"assistant","content":"Hi"}]' }],
    ['Haystack', { 'haystack.agent.step.llm.output': '{"replies":[{"role":"assistant","content":[{"text":"Hi"}]}]}' }],
    ["Google's ADK", { 'gcp.vertex.agent.llm_response': '{"content":{"parts":[{"text":"Hi"}],"role":"model"}}' }],
    [
      'Pydantic AI, first format',
      {
        events: '[{"event.name":"gen_ai.user.message","content":"?"},{"event.name":"gen_ai.choice","message":{"content":"Hi"}}]',
      },
    ],
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

test.each<
  [
    dialect: string,
    attributes: Record<string, OtlpValue>,
    event: [string, Record<string, OtlpValue>] | undefined,
    reasons: string[],
  ]
>([
  ['messages', { 'gen_ai.output.messages': '[{"role":"assistant","parts":[],"finish_reason":"length"}]' }, undefined, ['length']],
  ['a choice event', {}, ['gen_ai.choice', { finish_reason: 'max_tokens', message: '[{"text":"Hi"}]' }], ['max_tokens']],
  ['the body of one', {}, ['gen_ai.choice', { 'gen_ai.event.content': '{"index":0,"finish_reason":"length"}' }], ['length']],
  [
    "OpenAI's answer",
    { 'output.value': '{"choices":[{"finish_reason":"length","message":{"content":"Hi"}}]}' },
    undefined,
    ['length'],
  ],
  [
    "LangChain's",
    { 'gen_ai.completion': '{"generations":[[{"generation_info":{"finish_reason":"MAX_TOKENS"}}]]}' },
    undefined,
    ['MAX_TOKENS'],
  ],
  [
    "Bedrock's",
    { 'output.value': '{"output":{"message":{"content":[{"text":"Hi"}]}},"stopReason":"max_tokens"}' },
    undefined,
    ['max_tokens'],
  ],
  ['a word in a text', { 'output.value': 'finish_reason: length' }, undefined, []],
  ['an argument of a tool', { 'output.value': '{"tool_calls":[{"args":{"finish_reason":"length"}}]}' }, undefined, []],
])('the end of an answer that stands in %s', (_dialect, attributes, event, reasons) =>
  expect(readFinishReasons(sketchSpan({ attributes, ...(event && { event }) }))).toEqual(reasons),
)
