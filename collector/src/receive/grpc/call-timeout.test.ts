import { expect, test } from '@jest/globals'
import { parseCallTimeoutMs } from './call-timeout.ts'

test.each([
  ['10S', 10_000],
  ['250m', 250],
  ['1M', 60_000],
  ['1H', 3_600_000],
  ['1500u', 2],
  ['1n', 1],
  ['99999999H', 2 ** 31 - 1],
  ['0S', 0],
  ['123456789S', null],
  ['10', null],
  ['-1S', null],
  ['1d', null],
  ['', null],
  [undefined, null],
])('%s is %s ms', (header, expected) => {
  expect(parseCallTimeoutMs(header)).toBe(expected)
})
