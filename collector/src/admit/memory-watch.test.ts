import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createMemoryWatch, type MemoryWatch } from './memory-watch.ts'

const MIB = 1024 ** 2
let rss = 100 * MIB
let nowMs = 0
let collected: string[]
let told: boolean[]
let watch: MemoryWatch

beforeEach(() => {
  jest.useFakeTimers()
  collected = []
  told = []
  watch = createMemoryWatch({
    softLimitBytes: 200 * MIB,
    garbage: { minor: () => void collected.push('minor'), full: () => void collected.push('full') },
    rssBytes: () => {
      if (Number.isNaN(rss)) throw new Error('EMFILE')
      return rss
    },
    monotonicMs: () => nowMs,
    onPressed: (isPressed) => void told.push(isPressed),
  })
})
afterEach(() => {
  watch.stop()
  jest.useRealTimers()
})

function pass(ms: number): void {
  for (let at = 0; at < ms; at += 100) {
    nowMs += 100
    jest.advanceTimersByTime(100)
  }
}

test('memory is short from the soft limit on until it is under it again, and each is told once', () => {
  pass(500)
  expect(watch.isPressed()).toBe(false)
  rss = 201 * MIB
  pass(500)
  expect([watch.isPressed(), collected]).toEqual([true, ['full']])
  rss = 150 * MIB
  pass(100)
  expect([watch.isPressed(), told]).toEqual([false, [true, false]])
})

test('while it is short everything is collected, once a second at most', () => {
  rss = 300 * MIB
  pass(3_000)
  expect(collected).toEqual(['full', 'full', 'full'])
})

test('what is young is collected after every MB of bodies', () => {
  for (let i = 0; i < 5; i++) watch.noteReceived(MIB / 2)
  expect(collected).toEqual(['minor', 'minor'])
})

test('where the memory cannot be read, as without a file descriptor left, everything stays as it was', () => {
  rss = 201 * MIB
  pass(100)
  rss = Number.NaN
  pass(500)
  expect([watch.isPressed(), told]).toEqual([true, [true]])
  rss = 100 * MIB
  pass(100)
  expect(watch.isPressed()).toBe(false)
})
