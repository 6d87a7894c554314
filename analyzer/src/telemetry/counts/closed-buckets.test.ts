import { expect, test } from '@jest/globals'
import { divideByClosed } from './closed-buckets.ts'

test.each([
  ['all over', [10, 20], { from: 2, to: 30 }, [10, 20], []],
  ['the last still grows', [10, 20], { from: 2, to: 19 }, [10, 19], [[19, 20]]],
  ['the oldest may be on its way out', [10, 20], { from: 10, to: 20 }, [11, 20], [[10, 11]]],
  [
    'both',
    [10, 20],
    { from: 12, to: 18 },
    [13, 18],
    [
      [10, 13],
      [18, 20],
    ],
  ],
  ['none over', [10, 20], { from: 2, to: 10 }, null, [[10, 20]]],
  ['nothing kept', [10, 20], { from: 20, to: 20 }, null, [[10, 20]]],
] as const)('%s', (_case, range, kept, closed, open) => {
  expect(divideByClosed(range, kept)).toEqual({ closed, open })
})
