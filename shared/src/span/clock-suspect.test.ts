import { expect, test } from '@jest/globals'
import { isClockSuspect } from './clock-suspect.ts'
import { msToNano } from './nanoseconds.ts'

const RECEIVED_MS = 1_781_856_000_000
const NOW = msToNano(RECEIVED_MS)
const HOUR = 3_600_000_000_000n

test.each([
  ['a span that has just ended', NOW - 5n, NOW, false],
  ['a span that has not ended', NOW, 0n, false],
  ['a span of last year', NOW - 9_000n * HOUR, NOW - 8_999n * HOUR, false],
  ['a clock a few minutes ahead', NOW + HOUR / 12n, NOW + HOUR / 10n, false],
  ['no start', 0n, NOW, true],
  ['a time in milliseconds', BigInt(RECEIVED_MS), BigInt(RECEIVED_MS) + 5n, true],
  ['a time in microseconds', BigInt(RECEIVED_MS) * 1_000n, BigInt(RECEIVED_MS) * 1_000n + 5n, true],
  ['an end before the start', NOW, NOW - 1n, true],
  ['a clock a day ahead', NOW + 24n * HOUR, NOW + 24n * HOUR, true],
  ['only the end a day ahead', NOW, NOW + 24n * HOUR, true],
  ['a start beyond 2^63', 2n ** 63n, 0n, true],
  ['an end beyond 2^63', NOW, 2n ** 64n - 1n, true],
])('%s', (_what, startUnixNano, endUnixNano, suspect) => {
  expect(isClockSuspect({ startUnixNano, endUnixNano }, RECEIVED_MS)).toBe(suspect)
})
