import { expect, test } from '@jest/globals'
import { frameMessage, judgePrefix } from './message-frame.ts'

const MAX_BYTES = 2 ** 31

test.each([
  ['an empty message', [0, 0, 0, 0, 0], undefined, { bytes: 0, compression: 'identity' }],
  ['the length is big-endian', [0, 1, 2, 3, 4], undefined, { bytes: 0x01020304, compression: 'identity' }],
  ['as large as the limit', [0, 0x80, 0, 0, 0], undefined, { bytes: MAX_BYTES, compression: 'identity' }],
  ['one byte more', [0, 0x80, 0, 0, 1], undefined, { code: 'body_too_large' }],
  ['a length beyond 2^31 is not negative', [0, 0xff, 0xff, 0xff, 0xff], undefined, { code: 'body_too_large' }],
  ['compressed as the call says', [1, 0, 0, 0, 9], 'gzip', { bytes: 9, compression: 'gzip' }],
  ['a plain message in a call that may compress', [0, 0, 0, 0, 9], 'gzip', { bytes: 9, compression: 'identity' }],
  ['a plain message in a call of an unknown encoding', [0, 0, 0, 0, 9], 'br', { bytes: 9, compression: 'identity' }],
  ['compressed by an unknown encoding', [1, 0, 0, 0, 9], 'br', { code: 'encoding_unsupported' }],
  ['compressed, and the call does not say how', [1, 0, 0, 0, 9], undefined, { code: 'malformed_encoding' }],
  ['an unknown flag', [3, 0, 0, 0, 9], 'gzip', { code: 'malformed_encoding' }],
])('%s', (_, prefix, encoding, expected) => {
  expect(judgePrefix(new Uint8Array(prefix), encoding, MAX_BYTES)).toMatchObject(expected)
})

test('a frame announces its message', () => {
  expect([...frameMessage(new Uint8Array([7, 8]))]).toEqual([0, 0, 0, 0, 2, 7, 8])
  expect([...frameMessage(new Uint8Array(0))]).toEqual([0, 0, 0, 0, 0])
})
