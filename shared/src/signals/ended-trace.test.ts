import { expect, test } from '@jest/globals'
import { endedTrace } from './ended-trace.ts'
import { judgeTrace } from './judge-trace.ts'
import { ERROR, OK, type SpanSketch, sketchTrace } from './trace.fixture.ts'

const call: SpanSketch = { id: 'call', parent: 'run', status: ERROR, message: 'too many requests' }

test.each<[string, boolean, SpanSketch[]]>([
  ['a call that failed by itself', true, [{ id: 'call', status: ERROR, message: 'too many requests' }]],
  ['an error that the root passed on', true, [{ id: 'run', status: ERROR, message: 'too many requests', end: 9 }, call]],
  ['an error that the root survived', false, [{ id: 'run', status: OK, end: 9 }, call]],
  ['an error below a span that never came', false, [{ ...call, parent: 'elsewhere' }]],
  ['a log record that names no span', false, [{ id: 'log', log: 'too many requests' }]],
])('%s: ended its trace is %s', (_, ended, sketches) => {
  expect(judgeTrace('p', sketchTrace(sketches)).failures.map(endedTrace)).toEqual([ended])
})
