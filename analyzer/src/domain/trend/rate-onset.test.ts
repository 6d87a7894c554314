import { expect, test } from '@jest/globals'
import { lastRise, riseWithin } from './rate-onset.ts'
import { createRandom, type SyntheticPlan, syntheticWeeks } from './synthetic-weeks.fixture.ts'

const plan =
  (rate: (at: number) => number, runs = 200): SyntheticPlan['plan'] =>
  (at) => ({ runs, rate: rate(at) })
const riseOf = (hours: number, rate: (at: number) => number, seed = 1) =>
  lastRise(syntheticWeeks({ hours, seed, plan: plan(rate) }))

test.each([
  ['no change', 168, () => 0.05, null],
  ['a rise', 168, (at: number) => (at >= 100 ? 0.2 : 0.05), 100],
  ['a rise in six hours of history', 6, (at: number) => (at >= 3 ? 0.4 : 0.1), 3],
  ['a rise that is over', 168, (at: number) => (at >= 100 && at < 140 ? 0.2 : 0.05), null],
  ['two rises', 168, (at: number) => (at < 60 ? 0.02 : at < 120 ? 0.1 : 0.3), 120],
  ['a fall', 168, (at: number) => (at >= 100 ? 0.05 : 0.2), null],
])('%s', (_, hours, rate, at) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const rise = riseOf(hours, rate, seed)
    if (at === null) expect(rise).toBeNull()
    else expect(Math.abs((rise?.at ?? Number.NaN) - at)).toBeLessThanOrEqual(1)
  }
})

test('a night without traffic is no change', () => {
  const office: SyntheticPlan['plan'] = (at) => ({ runs: at % 24 < 8 ? 0 : 300, rate: 0.1 })
  expect(lastRise(syntheticWeeks({ hours: 168, seed: 1, plan: office }))).toBeNull()
})

test('within its hours a rise begins with the failures that make it', () => {
  const random = createRandom(7)
  const MINUTE = 60_000
  // A run each half minute for two hours; the rate rises at minute 70.
  const runs = Array.from({ length: 240 }, (_, i) => i * 0.5 * MINUTE)
  const failuresMs = runs.filter((at) => random() < (at >= 70 * MINUTE ? 0.5 : 0.05))
  const around = { failuresMs, fromMs: 0, toMs: 120 * MINUTE, runsPerMs: 240 / (120 * MINUTE) }
  const onset = riseWithin(around, { before: 0.05, after: 0.5 })
  expect(Math.abs(onset - 70 * MINUTE)).toBeLessThan(4 * MINUTE)
})
