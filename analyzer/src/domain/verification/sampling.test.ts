import { expect, test } from '@jest/globals'
import { activeMinutes, hasSamplingChanged, type SampledTraffic } from './sampling.ts'

const side = (runs: number, failures: number, more: Partial<SampledTraffic> = {}): SampledTraffic => ({
  spans: runs,
  runs,
  failures,
  minutes: 60,
  ...more,
})

const everyMinute = (from: number, count: number, spans: number) =>
  Array.from({ length: count }, (_, at) => ({ minute: from + at, spans }))
const every = (gap: number, count: number) => Array.from({ length: count }, (_, at) => ({ minute: at * gap, spans: 1 }))

test.each([
  ['the same traffic', side(600, 60), side(600, 60), false],
  ['a fix', side(600, 60), side(600, 2), false],
  ['a fix while traffic grows', side(600, 60), side(3000, 20), false],
  ['more traffic and as many failures a run', side(600, 60), side(3000, 300), false],
  ['the same traffic within a shorter time', side(600, 60), side(600, 60, { minutes: 10 }), false],
  ['many more failures', side(600, 60), side(600, 400), false],
  ['healthy runs that are left out now, and every failure kept', side(600, 60), side(120, 60), true],
  ['healthy runs that were left out before', side(120, 60), side(600, 60), true],
  ['so few failures that nobody can tell', side(600, 6), side(120, 6), false],
  ['weights on both sides, however different', side(600, 60, { spans: 300 }), side(6000, 60, { spans: 100 }), false],
  ['weights on one side and as much traffic', side(600, 60), side(600, 60, { spans: 60 }), false],
  ['weights on one side and other traffic', side(600, 60), side(2400, 240, { spans: 600 }), true],
  ['weights that are gone', side(6000, 600, { spans: 600 }), side(600, 60), true],
  ['nothing after', side(600, 60), side(0, 0, { minutes: 0 }), false],
])('%s: sampled otherwise %#', (_, before, after, expected) => expect(hasSamplingChanged(before, after)).toBe(expected))

test.each([
  ['dense traffic, by the minute', [everyMinute(0, 60, 20), everyMinute(100, 30, 20)], [60, 30]],
  [
    'nights, which do not count',
    [[...everyMinute(0, 60, 20), ...everyMinute(600, 60, 20)], everyMinute(2000, 60, 20)],
    [120, 60],
  ],
  ['a run every other hour, by the day', [every(120, 60), every(120, 60)], [7081, 7081]],
  ['a run an hour beside one in ten hours', [every(60, 120), every(600, 12)], [7141, 6601]],
])('time in which something ran is counted of %s', (_, sides, minutes) => expect(activeMinutes(sides)).toEqual(minutes))
