import { expect, test } from '@jest/globals'
import { judgeTrace } from './judge-trace.ts'
import { CLIENT, CONSUMER, ERROR, OK, type SpanSketch, sketchTrace } from './trace.fixture.ts'

const call: SpanSketch = { id: 'call', parent: 'run', status: ERROR, message: 'too many requests' }

test.each<[string, boolean, SpanSketch[]]>([
  ['a call that failed by itself', true, [{ id: 'call', status: ERROR, message: 'too many requests' }]],
  ['an error that the root passed on', true, [{ id: 'run', status: ERROR, message: 'too many requests', end: 9 }, call]],
  ['an error that the root survived', false, [{ id: 'run', status: OK, end: 9 }, call]],
  [
    'a try before one that worked',
    false,
    [
      { id: 'run', end: 9 },
      { ...call, kind: CLIENT },
      { id: 'again', parent: 'run', kind: CLIENT, start: 4 },
    ],
  ],
  ['an error below a span that never came', true, [{ ...call, parent: 'elsewhere' }]],
  [
    'an error of a consumer, for which its sender does not wait',
    true,
    [
      { id: 'run', end: 2 },
      { ...call, kind: CONSUMER },
    ],
  ],
  ['a log record that names no span', true, [{ id: 'log', log: 'too many requests' }]],
  [
    'a log record on a span that ended well',
    false,
    [
      { id: 'run', status: OK, end: 9 },
      { id: 'log', parent: 'run', log: 'too many requests' },
    ],
  ],
])('%s: ended its trace is %s', (_, ended, sketches) => {
  expect(judgeTrace('p', sketchTrace(sketches)).failures.map(({ endedTrace }) => endedTrace)).toEqual([ended])
})
