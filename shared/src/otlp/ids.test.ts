import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { fromHex, isOriginalOf, parseSpanId, parseTraceId, toHex } from './ids.ts'

const HEX = '0af7651916cd43dd8448eb211c80319c'

describe('a trace id as people and exporters write it', () => {
  test.each<[string, string | null, string | null]>([
    [HEX, HEX, null],
    [HEX.toUpperCase(), HEX, null],
    [Buffer.from(HEX, 'hex').toString('base64'), HEX, null],
    ['+/+/+/+/+/+/+/+/+/+/+w==', 'fbffbffbffbffbffbffbffbffbffbffb', null],
    ['-_-_-_-_-_-_-_-_-_-_-w==', 'fbffbffbffbffbffbffbffbffbffbffb', null],
    ['trace_1', '40a44b8b0683645bb2e2abff42d710ec', 'trace_1'],
    ['', null, null],
    ['0'.repeat(32), null, null],
    ['AAAAAAAAAAAAAAAAAAAAAA==', null, null],
  ])('%j', (text, hex, original) => {
    const parsed = parseTraceId(text)
    expect(parsed === null ? null : [toHex(parsed.bytes), parsed.original]).toEqual(hex === null ? null : [hex, original])
  })

  test.each([
    ['16 hex characters', '0123456789abcdef'],
    ['32 characters that are no hex', `${HEX.slice(1)}g`],
    ['base64 without padding', '+/+/+/+/+/+/+/+/+/+/+w'],
    ['base64 whose last bits say nothing', '+/+/+/+/+/+/+/+/+/+/+x=='],
    ['hex with a blank', ` ${HEX.slice(1)}`],
    ['a text in another script', 'след-1'],
  ])('%s is a text: it stands for its SHA-256', (_, text) => {
    const parsed = parseTraceId(text)
    expect([parsed?.original, parsed?.bytes.length]).toEqual([text, 16])
  })

  test('any text is found again by itself and told from a forged one', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const first = parseSpanId(text)
        expect(first).toEqual(parseSpanId(text))
        if (first?.original != null) {
          expect(isOriginalOf(text, first.bytes)).toBe(true)
          expect(isOriginalOf(`${text}x`, first.bytes)).toBe(false)
        }
      }),
    )
  })
})

test('hex of a real id is no original text of it', () => {
  expect(isOriginalOf(HEX, fromHex(HEX)!)).toBe(false)
})

test('a span id has 8 bytes', () => {
  expect(toHex(parseSpanId('B7AD6B7169203331')!.bytes)).toBe('b7ad6b7169203331')
  expect(parseSpanId('span_1')).toEqual({ bytes: expect.any(Uint8Array), original: 'span_1' })
  expect(parseSpanId('span_1')!.bytes).toHaveLength(8)
})

test.each(['0', '0g', 'zz', ' 00', '0x00'])('%j is no hex', (text) => {
  expect(fromHex(text)).toBeNull()
})

test('hex goes there and back', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(fromHex(toHex(bytes))).toEqual(bytes)))
})
