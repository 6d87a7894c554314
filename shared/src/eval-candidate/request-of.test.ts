import { expect, test } from '@jest/globals'
import type { OtlpValue } from '../otlp/model.ts'
import { isSameRequest, requestOf } from './request-of.ts'

const request = (attributes: Record<string, OtlpValue>) => requestOf(new Map(Object.entries(attributes)))

test.each<[dialect: string, attributes: Record<string, OtlpValue>]>([
  [
    'gen_ai messages',
    {
      'gen_ai.input.messages': '[{"role":"system","content":"Be kind"},{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
    },
  ],
  ['older messages', { 'gen_ai.input.messages': '[{"role":"user","content":"Hi"},{"role":"user","content":"again"}]' }],
  ['OpenInference, raw', { 'input.value': '{"messages":[{"role":"user","content":"Hi"}]}' }],
  ['a raw text', { 'input.value': 'Hi' }],
  [
    'OpenInference',
    {
      'llm.input_messages.0.message.role': 'system',
      'llm.input_messages.0.message.content': 'x',
      'llm.input_messages.1.message.role': 'user',
      'llm.input_messages.1.message.content': 'Hi',
    },
  ],
  ['OpenLLMetry', { 'gen_ai.prompt.0.role': 'user', 'gen_ai.prompt.0.content': 'Hi' }],
])('%s', (_dialect, attributes) => expect(request(attributes)).toEqual({ task: null, words: 'Hi' }))

test.each<[same: boolean, a: Record<string, OtlpValue>, b: Record<string, OtlpValue>]>([
  [true, { 'task.id': 3, 'input.value': 'a' }, { 'task.id': 3, 'input.value': 'b' }],
  [false, { 'task.id': 3, 'input.value': 'a' }, { 'task.id': 4, 'input.value': 'a' }],
  [true, { 'task.id': 3, 'input.value': 'a  b' }, { 'input.value': ' a b' }],
  [false, {}, {}],
  [false, { 'input.value': '' }, { 'input.value': '' }],
])('the same request: %p', (same, a, b) => expect(isSameRequest(request(a), request(b))).toBe(same))
