import { expect, test } from '@jest/globals'
import { HOUR_MS } from './hourly-series.ts'
import { noveltyOf } from './novelty.ts'

/** Hours with 100 runs each; failures at these places. */
const series = (hours: number, failures: Record<number, number>, runs = 100) => ({
  fromHour: 1000,
  runs: Array.from({ length: hours }, () => runs),
  failures: Array.from({ length: hours }, (_, at) => failures[at] ?? 0),
})
const every = (from: number, to: number, count: number) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [from + i, count]))
const rising = { trend: 'rising', season: 'same_hours_of_earlier_weeks' } as const

test.each([
  [
    'that never failed before',
    series(100, { 98: 4, 99: 5 }),
    false,
    null,
    { kind: 'first_seen', quietRuns: 9800, quietHours: 98 },
  ],
  ['that fails since the first run that is known', series(100, every(0, 100, 5)), false, null, null],
  ['of a project that has just begun', series(2, { 1: 1 }), false, null, null],
  ['that failed before the series began', series(100, { 98: 4, 99: 5 }), true, null, { kind: 'reappeared', quietHours: 98 }],
  [
    'back after days',
    series(200, { ...every(0, 50, 5), 190: 5, 191: 4 }),
    false,
    null,
    { kind: 'reappeared', quietRuns: 14_000 },
  ],
  ['back after days, and more than usual', series(200, { ...every(0, 50, 5), 190: 5 }), false, rising, { kind: 'reappeared' }],
  [
    'back after days, as each week',
    series(200, { ...every(0, 50, 5), 190: 5 }),
    false,
    { ...rising, trend: 'steady' as const },
    null,
  ],
  ['that is rare', series(300, { 10: 1, 100: 1, 210: 1, 290: 1 }), false, null, null],
  ['back after a night', series(200, { ...every(0, 180, 5), 195: 5, 196: 5 }), false, null, null],
  ['that came back long ago', series(600, { ...every(0, 50, 5), ...every(300, 600, 5) }), false, null, null],
])('a pain %s', (_, given, isOlder, season, novelty) => {
  const said = noveltyOf({ series: given, isOlder, season })
  if (novelty === null) expect(said).toBeNull()
  else expect(said).toMatchObject(novelty)
})

test('says since when', () => {
  expect(noveltyOf({ series: series(100, { 98: 4 }), isOlder: false, season: null })?.sinceMs).toBe(1098 * HOUR_MS)
})
