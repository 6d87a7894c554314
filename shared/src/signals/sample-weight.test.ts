import { expect, test } from '@jest/globals'
import { sampleWeight } from './sample-weight.ts'

test.each([
  ['', 1],
  ['ot=th:0', 1],
  ['ot=th:8', 2],
  ['ot=th:c', 4],
  ['ot=th:fd70a3d70a3d71', 100],
  ['vendor=x, ot=rv:abcdef01234567;th:c8', 256 / 56],
  ['ot=th:ffffffffffffff', 2 ** 56],
  ['ot=th:', 1],
  ['ot=th:xyz', 1],
  ['ot=th:fffffffffffffff', 1],
  ['vendor=th:8', 1],
])('%s stands for %d', (traceState, weight) => {
  expect(sampleWeight(traceState)).toBeCloseTo(weight, 6)
})
