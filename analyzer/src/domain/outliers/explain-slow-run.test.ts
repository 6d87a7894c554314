import { expect, test } from '@jest/globals'
import { explainSlowRun, type TimedSpan } from './explain-slow-run.ts'

const span = (spanId: string, parentId: string | null, tookMs: number, more: Partial<TimedSpan> = {}): TimedSpan => ({
  ...{ spanId, parentId, place: spanId, tookMs, isExcused: false },
  ...more,
})
const root = span('root', null, 5000)
const explain = (spans: TimedSpan[], slow: string[]) =>
  explainSlowRun(spans, { spanId: 'root', excessMs: 4800, isSlowPlace: (place) => slow.includes(place) })

test.each([
  ['its own time', [root, span('child', 'root', 100)], [], null],
  ['the child that is out of its usual', [root, span('child', 'root', 4900)], ['child'], { place: 'child' }],
  ['nothing, where the child is always so slow', [root, span('child', 'root', 4900)], [], null],
  [
    'the deepest, through one that is not known',
    [root, span('a', 'root', 4950), span('b', 'a', 4900), span('c', 'b', 4800)],
    ['a', 'c'],
    { place: 'c' },
  ],
  ['a failure below', [root, span('child', 'root', 4900, { isExcused: true })], [], 'excused'],
  [
    'itself, where many small steps add up',
    [root, ...Array.from({ length: 40 }, (_, n) => span(`n${n}`, 'root', 120))],
    ['n1'],
    null,
  ],
  ['itself, where it calls itself', [root, span('again', 'root', 4900, { place: 'root' })], ['root'], null],
  ['something, in a loop of parents', [root, span('a', 'b', 4900), span('b', 'a', 4900)], ['a'], null],
] as const)('a slow run is explained by %s', (_name, spans, slow, expected) => {
  expect(explain([...spans], [...slow])).toEqual(expected)
})
