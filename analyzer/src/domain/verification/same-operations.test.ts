import { expect, test } from '@jest/globals'
import { operationWeights } from './same-operations.ts'

test('one operation needs no weights', () => {
  expect(
    operationWeights([
      { operation: 1, before: 10, after: 5 },
      { operation: 2, before: 0, after: 0 },
    ]),
  ).toBeNull()
})

test('operations that ran on one side alone weigh nothing', () => {
  const weights = operationWeights([
    { operation: 1, before: 10, after: 0 },
    { operation: 2, before: 0, after: 10 },
    { operation: 3, before: 10, after: 20 },
  ])
  expect([...weights!.keys()]).toEqual([3])
  expect(weights!.get(3)).toEqual({ before: 1, after: 1 })
})

test('weighted, both sides run each operation equally often, and as many runs as they had', () => {
  const runs = [
    { operation: 1, before: 900, after: 100 },
    { operation: 2, before: 100, after: 900 },
  ]
  const weights = operationWeights(runs)!
  const weighted = runs.map(({ operation, before, after }) => ({
    before: before * weights.get(operation)!.before,
    after: after * weights.get(operation)!.after,
  }))
  expect(weighted[0]!.before + weighted[1]!.before).toBeCloseTo(1000)
  expect(weighted[0]!.before / weighted[1]!.before).toBeCloseTo(weighted[0]!.after / weighted[1]!.after)
})
