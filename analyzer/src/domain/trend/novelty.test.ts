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

test.each([
  ['that never failed before', series(100, { 98: 4, 99: 5 }), false, { kind: 'first_seen', quietRuns: 9800, quietHours: 98 }],
  ['that fails since the first run that is known', series(100, every(0, 100, 5)), false, null],
  ['of a project that has just begun', series(2, { 1: 1 }), false, null],
  ['that failed before the series began', series(100, { 98: 4, 99: 5 }), true, { kind: 'reappeared', quietHours: 98 }],
  ['back after days', series(200, { ...every(0, 20, 5), 195: 5, 196: 4 }), false, { kind: 'reappeared', quietRuns: 17_500 }],
  ['that runs once a week', series(400, { 30: 9, 31: 8, 198: 9, 199: 7, 366: 8 }), false, null],
  [
    'back after days, no week apart',
    series(400, { 30: 9, 31: 8, 380: 9, 381: 8 }),
    false,
    { kind: 'reappeared', quietHours: 348 },
  ],
  ['that is rare', series(300, { 10: 1, 100: 1, 210: 1, 290: 1 }), false, null],
  ['back after a night', series(200, { ...every(0, 180, 5), 195: 5, 196: 5 }), false, null],
  ['that came back long ago', series(600, { ...every(0, 50, 5), ...every(300, 600, 5) }), false, null],
])('a pain %s', (_, given, isOlder, novelty) => {
  const said = noveltyOf({ series: given, isOlder })
  if (novelty === null) expect(said).toBeNull()
  else expect(said).toMatchObject(novelty)
})

test('says since when', () => {
  expect(noveltyOf({ series: series(100, { 98: 4 }), isOlder: false })?.sinceMs).toBe(1098 * HOUR_MS)
})
