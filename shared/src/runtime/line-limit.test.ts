import { expect, test } from '@jest/globals'
import { createLineLimit } from './line-limit.ts'

function setUp() {
  let nowMs = 0
  const limit = createLineLimit({ burst: 3, perSecond: 1, tellEveryMs: 10_000, monotonicMs: () => nowMs })
  const passed = (code: string, lines: number) => Array.from({ length: lines }, () => limit.take(code)).filter(Boolean).length
  return {
    limit,
    passed,
    wait: (ms: number) => {
      nowMs += ms
    },
  }
}

test('a flood of one code leaves the burst, then a line a second, and other codes alone', () => {
  const { passed, wait } = setUp()
  expect(passed('a', 1_000_000)).toBe(3)
  expect(passed('b', 2)).toBe(2)
  wait(2_500)
  expect(passed('a', 100)).toBe(2)
})

test('what was left out is told once, and not all the time', () => {
  const { limit, passed, wait } = setUp()
  passed('a', 10)
  expect(limit.tell()).toEqual({ a: 7 })
  expect(limit.tell()).toBeNull()
  passed('a', 1)
  wait(9_999)
  expect(limit.tell()).toBeNull()
  wait(1)
  expect(limit.tell()).toEqual({ a: 1 })
})
