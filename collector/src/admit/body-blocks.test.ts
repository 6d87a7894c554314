import { expect, test } from '@jest/globals'
import { createBodyBlocks } from './body-blocks.ts'

test('a block that was given back is used again, and by one body only', () => {
  const blocks = createBodyBlocks()
  const first = blocks.take(5000)
  blocks.give(first)
  const second = blocks.take(8000)
  expect([second.buffer === first.buffer, second.length]).toEqual([true, 8000])
  expect(blocks.take(8000).buffer).not.toBe(second.buffer)
})

test.each([0, 1, 8192, 8193, 262_144, 1_048_576, 1_048_577, 5_000_000])('a body of %d bytes gets as many', (bytes) => {
  const blocks = createBodyBlocks()
  blocks.give(blocks.take(bytes))
  expect(blocks.take(bytes).length).toBe(bytes)
})

test('memory that was moved away, is shared or is of other origin is left alone', () => {
  const blocks = createBodyBlocks()
  const moved = blocks.take(100)
  structuredClone(moved, { transfer: [moved.buffer as ArrayBuffer] })
  const foreign = [
    moved,
    new Uint8Array(new SharedArrayBuffer(8256)),
    new Uint8Array(8192),
    Buffer.from('short'),
    new Uint8Array(10_000),
  ]
  for (const body of foreign) blocks.give(body)
  const taken = [blocks.take(100), blocks.take(100)]
  for (const { buffer } of foreign) expect(taken.some((body) => body.buffer === buffer)).toBe(false)
})

test('no more is kept than a few bodies need', () => {
  const blocks = createBodyBlocks()
  const lent = Array.from({ length: 20 }, () => blocks.take(1_000_000))
  for (const body of lent) blocks.give(body)
  const again = Array.from({ length: 20 }, () => blocks.take(1_000_000))
  expect(again.filter(({ buffer }) => lent.some((body) => body.buffer === buffer)).length).toBe(7)
})
