import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { createBloomFilter } from './bloom-filter.ts'

function hashOf(n: number): [number, number] {
  const digest = createHash('sha256').update(String(n)).digest()
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)]
}

test('what was added is never denied, and few strangers are taken for it', () => {
  const filter = createBloomFilter()
  const ADDED = 300_000
  for (let n = 0; n < ADDED; n++) filter.add(...hashOf(n))
  for (let n = 0; n < ADDED; n += 97) expect(filter.mayHold(...hashOf(n))).toBe(true)
  let mistaken = 0
  for (let n = 0; n < 20_000; n++) if (filter.mayHold(...hashOf(ADDED + n))) mistaken++
  expect(mistaken / 20_000).toBeLessThan(0.01)
})

test('an empty filter holds nothing', () => {
  expect(createBloomFilter().mayHold(1, 2)).toBe(false)
})
