import { describe, expect, test } from '@jest/globals'
import type { OtlpValue } from '../otlp/model.ts'
import { createMarkerMemory, findMarkers } from './change-markers.ts'
import type { TraceSpan } from './model.ts'
import { sketchTrace } from './trace.fixture.ts'

const call = (attributes: Record<string, OtlpValue>, start = 1): TraceSpan =>
  sketchTrace([
    {
      start,
      attributes,
      view: { kind: 'chat', operation: 'chat planner', model: (attributes['gen_ai.request.model'] ?? null) as string | null },
    },
  ])[0]!
const find = (...records: TraceSpan[]) =>
  findMarkers(records, createMarkerMemory()).map(({ kind, subject, value }) => ({ kind, subject, value }))
const seen = (kind: string, attributes: Record<string, OtlpValue>) =>
  find(call(attributes)).find((one) => one.kind === kind)?.value
const tool = (name: string, description: string) => ({
  type: 'function',
  function: { name, description, parameters: { type: 'object' } },
})
const system = (text: string) =>
  JSON.stringify([
    { role: 'system', content: text },
    { role: 'user', content: 'hello' },
  ])

describe('markers of a trace', () => {
  test.each([
    ['the model of each call', { 'gen_ai.request.model': 'm-1' }, { kind: 'model', subject: 'chat planner', value: 'm-1' }],
    [
      'the version of a named prompt',
      { 'gen_ai.prompt.name': 'plan', 'gen_ai.prompt.version': 7 },
      { kind: 'prompt', subject: 'plan', value: '7' },
    ],
    [
      'the hash that an instrumentation gives',
      { 'traceloop.prompt.version_hash': 'ab12' },
      { kind: 'prompt', subject: 'chat planner', value: 'ab12' },
    ],
  ] as [string, Record<string, OtlpValue>, object][])('are %s', (_, attributes, marker) =>
    expect(find(call(attributes))).toContainEqual(marker),
  )

  test('name a tool by the hash of its schema, whatever the order of its members', () => {
    const [one] = find(call({ 'gen_ai.tool.definitions': JSON.stringify([tool('search', 'finds')]) }))
    expect(one).toMatchObject({ kind: 'tool_schema', subject: 'search', value: expect.stringMatching(/^[0-9a-f]{12}$/) })
    const turned = '[{"function":{"parameters":{"type":"object"},"description":"finds","name":"search"},"type":"function"}]'
    expect(seen('tool_schema', { 'gen_ai.tool.definitions': turned })).toBe(one!.value)
    expect(seen('tool_schema', { 'gen_ai.tool.definitions': JSON.stringify([tool('search', 'seeks')]) })).not.toBe(one!.value)
  })

  test('hash instructions without the day and the numbers in them', () => {
    const monday = seen('prompt', { 'gen_ai.input.messages': system('Be brief. Today is Monday, 3 March 2026.') })
    expect(monday).toMatch(/^[0-9a-f]{12}$/)
    expect(seen('prompt', { 'gen_ai.input.messages': system('Be brief. Today is Friday, 14 August 2026.') })).toBe(monday)
    expect(seen('prompt', { 'gen_ai.input.messages': system('Be thorough. Today is Monday, 3 March 2026.') })).not.toBe(monday)
    expect(seen('prompt', { 'gen_ai.system_instructions': 'Be brief.' })).toBeDefined()
  })

  test('come once, with their first run, whatever the order of the spans', () => {
    const records = [
      call({ 'gen_ai.request.model': 'm' }, 30),
      call({ 'gen_ai.request.model': 'm' }, 10),
      call({ 'gen_ai.request.model': 'm' }, 20),
    ]
    const found = findMarkers(records, createMarkerMemory())
    expect(found).toHaveLength(1)
    expect(found[0]!.startUnixNano).toBe(findMarkers(records.toReversed(), createMarkerMemory())[0]!.startUnixNano)
  })

  test('are none where no agent is at work, and at most 200 where telemetry mints them', () => {
    expect(find(...sketchTrace([{ name: 'GET /', attributes: { 'prompt.version': 'x' } }]))).toEqual([])
    expect(find(...Array.from({ length: 500 }, (_, i) => call({ 'gen_ai.request.model': `m-${i}` })))).toHaveLength(200)
  })
})
