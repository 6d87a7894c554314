import { expect, test } from '@jest/globals'
import type { SpanSketch } from '@loopkit/shared/signals/trace.fixture'
import { scoreSession } from './scorecard.ts'
import { failed, idOf, steps, tool, turn } from './session.fixture.ts'

const said = (text: string) => ({
  'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [{ type: 'text', content: text }] }]),
})

/** Marks in the order completion, errors, tool use, answers, efficiency. */
test.each<[string, SpanSketch[], (string | null)[]]>([
  ['a service that answered', [{ id: 'root' }], ['good', 'good', null, null, 'good']],
  ['a service that failed', [{ id: 'root', ...failed }], ['poor', 'poor', null, null, 'good']],
  [
    'an agent without trouble',
    [turn('t1', 'a'), tool('x'), turn('t2', 'a', { attributes: said('done') })],
    ['good', 'good', 'good', 'good', 'good'],
  ],
  [
    'a tool that failed and was tried again',
    [
      { id: 'root', end: 999 },
      turn('t1', 'a', { parent: 'root' }),
      tool('x', { id: 'x', parent: 'mid', ...failed }),
      tool('y', { parent: 'root' }),
      turn('t2', 'a', { parent: 'root' }),
    ],
    ['poor', 'fair', 'fair', 'good', 'good'],
  ],
  [
    'a tool that took too long',
    [turn('t1', 'a'), tool('x', { status: 2, message: 'timed out' }), turn('t2', 'a')],
    ['poor', 'poor', 'poor', 'good', 'good'],
  ],
  [
    'an answer that was cut',
    [
      turn('t1', 'a', {
        view: {
          finish_reasons: ['length'],
          tokens: { input: 9, output: 900, total: 909, cache_read: null, cache_creation: null, reasoning: null },
        },
      }),
    ],
    ['poor', 'poor', null, 'poor', 'good'],
  ],
  [
    'the same step again and again',
    [
      turn('t1', 'a'),
      ...['x', 'y', 'z'].map((id) =>
        tool(id, { attributes: { 'gen_ai.tool.call.arguments': '{"q":1}', 'gen_ai.tool.call.result': 'none' } }),
      ),
      turn('t2', 'a'),
    ],
    ['poor', 'poor', 'good', 'good', 'poor'],
  ],
  ['no span at all', [], ['good', 'good', null, null, null]],
])('the marks of %s', (_, sketches, marks) => {
  expect(scoreSession(steps(sketches)).map(({ mark }) => mark)).toEqual(marks)
})

test('every mark that is not good has its evidence, at the step it is about', () => {
  const found = steps([turn('t1', 'a'), tool('x', failed), turn('t2', 'a')])
  const parts = scoreSession(found).filter(({ mark }) => mark === 'poor' || mark === 'fair')
  expect(parts.length).toBeGreaterThan(0)
  for (const { evidence } of parts) expect(evidence.length).toBeGreaterThan(0)
  const tools = parts.find(({ part }) => part === 'tool_use')
  expect(tools?.evidence.map(({ at, because }) => [idOf(found[at]!), because])).toContainEqual([
    'x',
    'tool_failure in execute_tool search: it broke',
  ])
})
