import { expect, test } from '@jest/globals'
import { toldApartMax } from './split-decided.ts'

test.each([
  [0, 10_000],
  [1, 10_000],
  [4, 2_500],
  [10, 1_000],
  [100, 1_000],
])('of each of %d split pains %d failures are told apart', (splitPains, most) => {
  expect(toldApartMax(splitPains)).toBe(most)
})
