import { expect, test } from '@jest/globals'
import type { SpanSketch } from '@loopkit/shared/signals/trace.fixture'
import { findDecisiveSteps } from './decisive-step.ts'
import { failed, idOf, steps, tool, turn } from './session.fixture.ts'

const longRun = ['lead', ...Array.from({ length: 30 }, () => ['web', 'lead']).flat()]

test.each<[string, SpanSketch[], [string, string, string | null]]>([
  ['the failure that stays', [turn('t1', 'a'), tool('x', failed), turn('t2', 'a')], ['unrecovered_failure', 'x', 'a']],
  [
    'the first of two that stay',
    [turn('t1', 'a'), tool('x', failed), { id: 'y', name: 'query', ...failed }],
    ['unrecovered_failure', 'x', 'a'],
  ],
  [
    'the one that stays before one that was made good',
    [tool('x', failed), tool('again'), { id: 'y', name: 'query', ...failed }],
    ['unrecovered_failure', 'y', null],
  ],
  [
    'a failure that was made good, where nothing else is',
    [turn('t1', 'a'), tool('x', failed), tool('y')],
    ['recovered_failure', 'x', 'a'],
  ],
  [
    'of agents that speak in turn, who acted first',
    [turn('t1', 'a'), turn('t2', 'b'), tool('x'), turn('t3', 'c'), tool('y'), turn('t4', 'a')],
    ['first_action', 't2', 'b'],
  ],
  [
    'of those, whose action failed first',
    [turn('t1', 'a'), turn('t2', 'b'), tool('x'), turn('t3', 'c'), tool('y', failed), turn('t4', 'a'), tool('z')],
    ['first_action', 't3', 'c'],
  ],
  [
    'of agents whose turns have spans of their own, who acted first',
    ['a', 'b'].flatMap((name) => [
      { id: `agent${name}`, name: `invoke_agent ${name}`, end: 900, view: { kind: 'agent', agent: name } } satisfies SpanSketch,
      turn(`t${name}`, name, { parent: `agent${name}` }),
      ...(name === 'b' ? [tool('x')] : []),
    ]),
    ['first_action', 'tb', 'b'],
  ],
  ['where none acted, the first reply', [turn('t1', 'a'), turn('t2', 'b'), turn('t3', 'c')], ['first_reply', 't2', 'b']],
  [
    'where one hands all work on, the last answer',
    [turn('t1', 'lead'), turn('t2', 'web'), turn('t3', 'lead'), turn('t4', 'file'), turn('t5', 'lead')],
    ['delegated_reply', 't4', 'file'],
  ],
  [
    'in a long run like that, the first answer',
    longRun.map((agent, at) => turn(`t${at}`, agent)),
    ['delegated_reply', 't1', 'web'],
  ],
  [
    'where an agent calls others, the last answer of one of them',
    [
      { id: 'lead', name: 'invoke_agent lead', end: 900, view: { kind: 'agent', agent: 'lead' } },
      turn('t1', 'lead', { parent: 'lead' }),
      { id: 'sub', parent: 'lead', name: 'invoke_agent sub', end: 90, view: { kind: 'agent', agent: 'sub' } },
      turn('s1', 'sub', { parent: 'sub' }),
      turn('s2', 'sub', { parent: 'sub' }),
      turn('t2', 'lead', { parent: 'lead' }),
    ],
    ['delegated_reply', 's2', 'sub'],
  ],
  [
    'where all is well, what cost the most',
    [
      { id: 'root', name: 'GET /', end: 500 },
      { id: 'fast', parent: 'root', name: 'cache', start: 10, end: 20 },
      { id: 'slow', parent: 'root', name: 'query', start: 20, end: 490 },
    ],
    ['costliest', 'slow', null],
  ],
  [
    'what was said afterwards is not what went wrong',
    [
      turn('t1', 'a', { end: 9 }),
      { id: 'f', event: ['gen_ai.user.feedback', { 'gen_ai.evaluation.score.label': 'thumbs_down' }] },
    ],
    ['costliest', 't1', 'a'],
  ],
])('the step that decided: %s', (_, sketches, [rule, id, agent]) => {
  const found = steps(sketches)
  const [best] = findDecisiveSteps(found)
  expect([best?.rule, best && idOf(found[best.at]!), best?.agent]).toEqual([rule, id, agent])
})

test('names at most three candidates, each step once, the same for every order of arrival', () => {
  const sketches = [turn('t1', 'a'), tool('x', failed), turn('t2', 'b'), tool('y'), turn('t3', 'c', failed)].map(
    (sketch, at) => ({
      ...sketch,
      start: at * 10 + 1,
    }),
  )
  const found = findDecisiveSteps(steps(sketches))
  expect(found.length).toBeLessThanOrEqual(3)
  expect(new Set(found.map(({ at }) => at)).size).toBe(found.length)
  expect(findDecisiveSteps(steps(sketches.toReversed()))).toEqual(found)
})

test('a session without steps has none', () => expect(findDecisiveSteps([])).toEqual([]))
