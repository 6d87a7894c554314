import { expect, test } from '@jest/globals'
import { strongestShift } from './rate-shift.ts'

/** A minute for each number of failures, of 50 runs. */
const minutes = (failures: number[], runs = 50) =>
  failures.map((count, minute) => ({ minute: 100 + minute, runs, failures: count, failuresSquared: count }))
const times = (count: number, failures: number) => Array.from({ length: count }, () => failures)

test.each([
  ['a rate that rose', [...times(20, 1), ...times(20, 10)], { minute: 120, isRise: true }],
  ['a rate that fell', [...times(20, 10), ...times(10, 0)], { minute: 120, isRise: false }],
  ['four minutes of a new rate', [...times(40, 0), ...times(4, 8)], { minute: 140, isRise: true }],
  [
    'three minutes of a new rate, which begins a minute early for it',
    [...times(40, 0), ...times(3, 20)],
    { minute: 139, isRise: true },
  ],
  ['the same rate', times(40, 5), null],
  ['no failure', times(40, 0), null],
  ['nights', Array.from({ length: 40 }, (_, i) => (i % 8 < 4 ? 0 : 10)), null],
  ['one clump', [...times(19, 1), 30, ...times(20, 1)], null],
  ['seven minutes', [...times(3, 0), ...times(4, 50)], null],
])('of %s', (_, failures, shift) => expect(strongestShift(minutes(failures))).toEqual(shift))

test('a rate is one of runs: more of both are no change', () => {
  expect(
    strongestShift([
      ...minutes(times(20, 5)),
      ...minutes(times(20, 50), 500).map((one) => ({ ...one, minute: one.minute + 20 })),
    ]),
  ).toBeNull()
})
