import { expect, test } from '@jest/globals'
import { createTraceCounts, isTraceCount, parseTraceCount, TRACES_FORGOTTEN } from './trace-counts.ts'

test('counts by trace and by what happened', () => {
  const counts = createTraceCounts()
  for (const [low, high, what] of [
    [1, 2, 'deduplicated'],
    [1, 2, 'deduplicated'],
    [1, 2, 'rejected:quota_exceeded'],
    [0xffffffff, 0xffffffff, 'conflict'],
    [1, 2, 'deduplicated'],
  ] as const)
    counts.add(low, high, what, 1)
  expect([...counts.entries()].map(([key, count]) => [parseTraceCount(key), count, isTraceCount(key)])).toEqual([
    [{ traceHash: (2n << 32n) + 1n, what: 'deduplicated' }, 3, true],
    [{ traceHash: (2n << 32n) + 1n, what: 'rejected:quota_exceeded' }, 1, true],
    [{ traceHash: -1n, what: 'conflict' }, 1, true],
  ])
})

test('of too many traces the rest is forgotten, and that is said', () => {
  const counts = createTraceCounts(2)
  for (let trace = 1; trace <= 5; trace++) counts.add(trace, 0, 'deduplicated', 1)
  expect([...counts.entries().keys()].map(parseTraceCount)).toEqual([
    { traceHash: 1n, what: 'deduplicated' },
    { traceHash: 2n, what: 'deduplicated' },
    null,
  ])
  expect(isTraceCount(TRACES_FORGOTTEN)).toBe(true)
})

test.each(['deduplicated', 'rejected:trace_id_zero', 'not_kept:logs'])('%s is a count of the ledger', (what) => {
  expect(isTraceCount(what)).toBe(false)
})
