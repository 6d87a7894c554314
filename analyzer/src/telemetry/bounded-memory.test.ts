import { expect, test } from '@jest/globals'
import { createBoundedMemory } from './bounded-memory.ts'

test('keeps those asked last within its bytes', () => {
  const memory = createBoundedMemory<number>(10_000)
  for (let i = 0; i < 10; i++) {
    memory.keep(`k${i}`, i, 1850)
    memory.recall('k0')
  }
  expect(Array.from({ length: 10 }, (_, i) => memory.recall(`k${i}`) ?? null)).toEqual([0, ...Array(5).fill(null), 6, 7, 8, 9])
})

test('a key that is kept again has its new value, and takes its bytes once', () => {
  const memory = createBoundedMemory<string>(10_000)
  for (let i = 0; i < 100; i++) memory.keep('same', `v${i}`, 2000)
  memory.keep('other', 'o', 2000)
  expect([memory.recall('same'), memory.recall('other')]).toEqual(['v99', 'o'])
})

test('what is too large is not kept, and nothing is kept in no bytes', () => {
  const memory = createBoundedMemory<number>(10_000)
  memory.keep('small', 1, 100)
  memory.keep('large', 2, 3000)
  expect([memory.recall('small'), memory.recall('large')]).toEqual([1, undefined])
  const none = createBoundedMemory<number>(0)
  none.keep('a', 1, 0)
  expect(none.recall('a')).toBeUndefined()
})
