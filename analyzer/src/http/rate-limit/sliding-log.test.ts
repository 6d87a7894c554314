import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { limitAddress } from '../request-facts.ts'
import { judgeCall, limitHeaders } from './sliding-log.rules.ts'
import { createSlidingLog, openLimits, type SlidingLog } from './sliding-log.ts'

const limit = { name: 'onboarding', max: 3, windowMs: 60_000 }
let folder: string
let now: number
let opened: SlidingLog[]
const open = (): SlidingLog => {
  const log = createSlidingLog(openLimits(join(folder, 'limits.db')), () => now)
  opened.push(log)
  return log
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-limits-'))
  now = 1_000_000
  opened = []
})
afterEach(() => {
  for (const log of opened) log.close()
  rmSync(folder, { recursive: true })
})

test.each([
  [0, null, { allowed: true, remaining: 2, resetMs: 60_000 }],
  [2, 940_001, { allowed: true, remaining: 0, resetMs: 1 }],
  [3, 999_000, { allowed: false, remaining: 0, resetMs: 59_000 }],
])('with %i calls in the window the next one is judged', (counted, oldestMs, verdict) => {
  expect(judgeCall(limit, { counted, oldestMs, nowMs: 1_000_000 })).toEqual(verdict)
})

test('a refusal says when to come back, rounded up to a second', () => {
  expect(limitHeaders(limit, { allowed: false, remaining: 0, resetMs: 30_001 })).toEqual({
    'ratelimit-policy': '"onboarding";q=3;w=60',
    ratelimit: '"onboarding";r=0;t=31',
    'retry-after': '31',
  })
})

test('no span of a minute holds more calls than the limit, across its edges and across connections', () => {
  const [one, other] = [open(), open()]
  const takeAt = (ms: number, log: SlidingLog) => {
    now = ms
    return log.take(limit, 'a').allowed
  }
  expect([takeAt(59_000, one), takeAt(59_000, other), takeAt(59_500, one)]).toEqual([true, true, true])
  expect([takeAt(61_000, one), takeAt(118_999, other)]).toEqual([false, false])
  expect([takeAt(119_000, one), takeAt(119_000, other), takeAt(119_000, one)]).toEqual([true, true, false])
})

test('waiting exactly Retry-After makes room', () => {
  const log = open()
  for (const step of [0, 700, 700]) {
    now += step
    log.take(limit, 'a')
  }
  const refused = log.take(limit, 'a')
  now += Number(limitHeaders(limit, refused)['retry-after']) * 1000
  expect(log.take(limit, 'a').allowed).toBe(true)
})

test('one client is not counted for another', () => {
  const log = open()
  for (let call = 0; call < 3; call += 1) log.take(limit, 'a')
  expect(log.take(limit, 'b').allowed).toBe(true)
})

test('a clock set back locks nobody out for longer than a window and opens none', () => {
  const log = open()
  for (let call = 0; call < 3; call += 1) log.take(limit, 'a')
  now -= 3_600_000
  expect(log.take(limit, 'a').allowed).toBe(false)
  now += 60_000
  expect(log.take(limit, 'a').allowed).toBe(true)
})

test('rows leave the file when their window ends', () => {
  const log = open()
  for (let client = 0; client < 90; client += 1) log.take(limit, `client ${client}`)
  now += 60_000
  log.take(limit, 'a')
  const db = openLimits(join(folder, 'limits.db'))
  expect(db.prepare('select count(*) from call').pluck().get()).toBe(1)
  db.close()
})

test('a damaged file is begun anew', () => {
  writeFileSync(join(folder, 'limits.db'), 'this is no database, and longer than a header '.repeat(20))
  expect(open().take(limit, 'a').allowed).toBe(true)
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['unknown', 'unknown'],
])('%s is counted as %s', (address, counted) => {
  expect(limitAddress(address)).toBe(counted)
})
