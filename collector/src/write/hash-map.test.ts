import { expect, test } from '@jest/globals'
import { HashMap } from './hash-map.ts'

test('holds what a map of pairs holds, through growth and removals', () => {
  const map = new HashMap()
  const model = new Map<string, number>()
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
      map.delete(low, high)
      model.delete(key)
    } else {
      map.set(low, high, step)
      model.set(key, step)
    }
    if (map.get(low, high) !== (model.get(key) ?? -1)) mistakes++
  }
  expect(mistakes).toBe(0)
  expect(map.size).toBe(model.size)
  for (const [key, value] of model) expect(map.get(...(key.split(':').map(Number) as [number, number]))).toBe(value)
})
