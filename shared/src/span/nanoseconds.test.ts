import { expect, test } from '@jest/globals'
import { clampNano, durationNano, isBeyondIndex, msToIso, msToNano, nanoToIso, nanoToMinute, nanoToMs } from './nanoseconds.ts'

test.each([
  [0n, 0],
  [999_999n, 0],
  [1_781_856_000_000_000_001n, 1_781_856_000_000],
  [2n ** 64n - 1n, 18_446_744_073_709],
])('nanoseconds %s are %s whole milliseconds', (nano, ms) => {
  expect(nanoToMs(nano)).toBe(ms)
})

test('milliseconds come back from nanoseconds unchanged', () => {
  expect(nanoToMs(msToNano(1_781_856_000_123.9))).toBe(1_781_856_000_123)
})

test('a minute is whole and rounded down', () => {
  expect(nanoToMinute(119_999_999_999n)).toBe(1)
})

test.each([
  [-1n, 0n, true],
  [0n, 0n, false],
  [2n ** 63n - 1n, 2n ** 63n - 1n, false],
  [2n ** 63n, 2n ** 63n - 1n, true],
  [2n ** 64n - 1n, 2n ** 63n - 1n, true],
])('%s enters an index as %s', (nano, clamped, beyond) => {
  expect(clampNano(nano)).toBe(clamped)
  expect(isBeyondIndex(nano)).toBe(beyond)
})

test('a span that ends before it starts, or has not ended, lasts zero', () => {
  expect(durationNano(5n, 3n)).toBe(0n)
  expect(durationNano(5n, 0n)).toBe(0n)
  expect(durationNano(5n, 8n)).toBe(3n)
})

test('every 64-bit time has a date', () => {
  expect(nanoToIso(2n ** 64n - 1n)).toBe('2554-07-21T23:34:33.709Z')
  expect(nanoToIso(1_781_856_000_000_000_000n)).toBe('2026-06-19T08:00:00.000Z')
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1e300])('%s milliseconds never throw', (ms) => {
  expect(typeof msToIso(ms)).toBe('string')
})
