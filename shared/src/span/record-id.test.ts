import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isLoneTrace, loneTraceId } from './lone-trace-id.ts'
import { decodeRecordId, encodeRecordId } from './record-id.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const traceIds = bytes(16).filter((id) => id.some((byte) => byte !== 0))

test('a record id gives back the ids it was made from', () => {
  fc.assert(
    fc.property(traceIds, bytes(8), (traceId, spanId) => {
      const id = encodeRecordId(traceId, spanId)
      expect(id).toMatch(/^rec_[0-9A-Za-z]{33}$/)
      expect(decodeRecordId(id)).toEqual({ traceId, spanId })
    }),
  )
})

test('a log record without a trace is named by zeros and its own id, and found by that', () => {
  fc.assert(
    fc.property(bytes(8), (spanId) => {
      const traceId = loneTraceId(spanId)
      const id = encodeRecordId(traceId, spanId)
      expect(isLoneTrace(traceId, spanId)).toBe(true)
      expect(id).toBe(encodeRecordId(new Uint8Array(16), spanId))
      expect(decodeRecordId(id)).toEqual({ traceId, spanId })
    }),
  )
})

test.each([
  ['zipkin’s root, whose id ends its trace id', '0000000000000000aaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaa'],
  ['ones', '11111111111111111111111111111111', '1111111111111111'],
])('%s is no lone log record', (_, traceId, spanId) => {
  expect(isLoneTrace(new Uint8Array(Buffer.from(traceId, 'hex')), new Uint8Array(Buffer.from(spanId, 'hex')))).toBe(false)
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
