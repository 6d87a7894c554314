import { expect, test } from '@jest/globals'
import { toHex } from '../../otlp/ids.ts'
import { ERROR } from '../trace.fixture.ts'
import { agent, answer, chat, found, idText, judge } from './agent.fixture.ts'

const cut = (id: string) => chat(id, answer('The report begins'), { parent: 'step', view: { finish_reasons: ['max_tokens'] } })
const step = (exception: [string, string]) => ({ id: 'step', parent: 'agent', status: ERROR, exception, end: 900 })

test('an error that only says that the answer was cut is the cut answer', () => {
  const { failures } = judge([
    agent('agent', { status: ERROR, exception: ['MaxTokensReached', 'stopped at the maximum token limit'], end: 990 }),
    step(['MaxTokensReached', 'stopped at the maximum token limit']),
    cut('c'),
  ])
  expect(found(failures)).toEqual(['truncated_output c'])
  expect(failures[0]!.propagatedTo.map(({ span }) => idText(toHex(span.spanId)))).toEqual(['step', 'agent'])
  expect(failures[0]!.endedTrace).toBe(true)
})

test('the latest of two cut answers takes it', () => {
  const { failures } = judge([
    agent('agent'),
    step(['LengthFinishReasonError', 'the length limit was reached']),
    cut('c'),
    cut('d'),
  ])
  expect(failures.map(({ span, propagatedTo }) => [idText(toHex(span.spanId)), propagatedTo.length])).toEqual([
    ['c', 0],
    ['d', 1],
  ])
})

test('an error of its own beside a cut answer stays one', () =>
  expect(found(judge([agent('agent'), step(['KeyError', 'no column total']), cut('c')]).failures)).toEqual([
    'exception step',
    'truncated_output c',
  ]))
