import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeRecordId, encodeRecordId } from './record-id.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

test('a record id gives back the ids it was made from', () => {
  fc.assert(
    fc.property(bytes(16), bytes(8), (traceId, spanId) => {
      const id = encodeRecordId(traceId, spanId)
      expect(id).toMatch(/^rec_[0-9A-Za-z]{33}$/)
      expect(decodeRecordId(id)).toEqual({ traceId, spanId })
    }),
  )
})

test('the smallest and the largest id are distinct and of one width', () => {
  const lowest = encodeRecordId(new Uint8Array(16), new Uint8Array(8))
  const highest = encodeRecordId(new Uint8Array(16).fill(255), new Uint8Array(8).fill(255))
  expect(lowest).toBe(`rec_${'0'.repeat(33)}`)
  expect(highest.length).toBe(lowest.length)
  expect(decodeRecordId(highest)?.spanId).toEqual(new Uint8Array(8).fill(255))
})

test.each([
  '',
  'rec_',
  `rec_${'0'.repeat(32)}`,
  `rec_${'0'.repeat(34)}`,
  `rec_${'z'.repeat(33)}`,
  `rec_${'0'.repeat(32)}-`,
  `REC_${'0'.repeat(33)}`,
  `rec_${'0'.repeat(31)}🙂`,
])('%j is no record id', (text) => {
  expect(decodeRecordId(text)).toBeNull()
})
