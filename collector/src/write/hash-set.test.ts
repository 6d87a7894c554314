import { expect, test } from '@jest/globals'
import { createHashSet } from './hash-set.ts'

test('holds what a set of pairs holds, through growth and removals', () => {
  const set = createHashSet()
  const model = new Set<string>()
  let seed = 42
  let mistakes = 0
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (let step = 0; step < 60_000; step++) {
    // Few distinct low words, so that chains get long and wrap round.
    const low = random(3) === 0 ? 0xffffffff - random(5) : random(4000)
    const high = random(3)
    const key = `${low}:${high}`
    if (random(3) === 0) {
      set.delete(low, high)
      model.delete(key)
    } else {
      set.add(low, high)
      model.add(key)
    }
    if (set.has(low, high) !== model.has(key)) mistakes++
  }
  expect(mistakes).toBe(0)
  expect(set.size()).toBe(model.size)
  for (const key of model) expect(set.has(...(key.split(':').map(Number) as [number, number]))).toBe(true)
})
