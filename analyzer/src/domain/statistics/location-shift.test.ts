import { expect, test } from '@jest/globals'
import { locationShift } from './location-shift.ts'

/** R 4: wilcox.test(first, second, conf.int = TRUE, exact = FALSE), where the statistic steps at pairwise differences. */
test.each([
  ['apart', [10, 20, 30, 40], [1, 2, 3, 4], { low: 6, high: 39 }],
  ['the same', [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], { estimate: 0 }],
  ['of one value each', [5, 5, 5, 5, 5], [2, 2, 2, 2, 2], { estimate: 3 }],
  ['swapped', [1, 2, 3, 4], [10, 20, 30, 40], { low: -39, high: -6 }],
])('the shift of samples that are %s', (_, first, second, expected) => {
  const shift = locationShift(first, second, 0.95)
  for (const [name, value] of Object.entries(expected)) expect(shift[name as keyof typeof shift]).toBeCloseTo(value, 9)
  expect(shift.low).toBeLessThanOrEqual(shift.estimate)
  expect(shift.estimate).toBeLessThanOrEqual(shift.high)
})

test('a shift of all values by a constant is that constant', () => {
  const values = [3, 8, 1, 9, 4, 7, 2]
  expect(
    locationShift(
      values.map((value) => value + 12.5),
      values,
      0.95,
    ).estimate,
  ).toBeCloseTo(12.5, 9)
})
