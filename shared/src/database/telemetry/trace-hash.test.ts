import { expect, test } from '@jest/globals'
import { createKeyedHash } from './keyed-hash.ts'
import { createTraceHasher, createTraceHashWriter } from './trace-hash.ts'

const key = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7])

// The algorithm's own definition, computed apart for the inputs 00 01 02 … under the key 00 … 07.
test.each([
  [0, '218d1f59b9b83cc8'],
  [1, 'd5e78a175be52ea1'],
  [2, 'edfee820bce4858c'],
  [5, '1bf52b0a6feea7db'],
])('the hash of %d words is HalfSipHash-2-4', (count, expected) => {
  const words = new Uint32Array(Uint8Array.from({ length: count * 4 }, (_, i) => i).buffer)
  const out = new Uint32Array(2)
  createKeyedHash({ k0: 0x03020100, k1: 0x07060504 })(words, count, out, 0)
  expect(Buffer.from(out.buffer).toString('hex')).toBe(expected)
})

test('a trace hash depends on the project, on every byte of the id and on the key', () => {
  const hasher = createTraceHasher(key)
  const id = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
  const seen = new Set([hasher(1, id), hasher(2, id), createTraceHasher(key.toReversed())(1, id)])
  for (let at = 0; at < 16; at++) seen.add(hasher(1, id.with(at, 200)))
  expect(seen.size).toBe(19)
  expect(hasher(1, id)).toBe(createTraceHasher(key)(1, id))
})

test('the words written are the halves of the bigint', () => {
  const id = Uint8Array.from({ length: 20 }, (_, i) => i * 7)
  const out = new Uint32Array(4)
  createTraceHashWriter(key)(3, id, 4, out, 2)
  expect((BigInt(out[3]!) << 32n) | BigInt(out[2]!)).toBe(createTraceHasher(key)(3, id.slice(4)))
})
