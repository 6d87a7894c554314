import { expect, test } from '@jest/globals'
import { binOf, createSketch } from '@loopkit/shared/rollup/sketch'
import { judgeOutliers, type RunsOfTime } from './judge-outliers.ts'
import { FAULTS, HEALTHY_SHAPES, synthesizeHours, toDays } from './synthetic-runs.fixture.ts'
import { stepsOfSketch, valueOfStep } from './value-steps.ts'

const RULE = { factor: 2, excessMin: 50, aloneMin: 500 }
const HOUR = 480_000

/** An hour of so many runs of each value. */
function hour(bucket: number, ...runs: (readonly [count: number, value: number])[]): RunsOfTime {
  const sketch = createSketch()
  for (const [count, value] of runs) for (let n = 0; n < count; n++) sketch.add(binOf(value + (n % 7)), 1)
  return { bucket, steps: stepsOfSketch(sketch) }
}
const usual = (hours: number, value = 100) => Array.from({ length: hours }, (_, n) => hour(HOUR + n, [200, value]))

test.each([
  ['one hour of which a few runs stand far apart', [hour(HOUR, [500, 100], [20, 5000])], [20]],
  ['one hour with too few that stand apart', [hour(HOUR, [500, 100], [6, 5000])], []],
  ['one hour of which a tenth stands apart: another way of working', [hour(HOUR, [500, 100], [60, 5000])], []],
  ['few runs in all', [hour(HOUR, [30, 100], [2, 5000])], []],
  ['a history, then all runs three times slower', [...usual(48), hour(HOUR + 48, [200, 300])], [200]],
  ['a short history, then all runs three times slower', [...usual(3), hour(HOUR + 3, [200, 300])], [200]],
  ['a history, then 5 % slower by far', [...usual(48), hour(HOUR + 48, [190, 100], [10, 900])], [10]],
  ['a history, then a little slower', [...usual(48), hour(HOUR + 48, [200, 130])], []],
  ['a tiny time that quadruples', [...usual(48, 1), hour(HOUR + 48, [200, 4])], []],
  ['a time that triples below the floor', [...usual(48, 15), hour(HOUR + 48, [200, 45])], []],
  [
    'the same few slow runs in every hour',
    Array.from({ length: 60 }, (_, n) => hour(HOUR + n, [300, 100], [12, 900])).slice(24),
    [],
  ],
] as const)('of %s the spells are as expected', (_name, times, beyond) => {
  const spells = judgeOutliers(times, RULE, 24).filter(({ bucket }) => bucket === times.at(-1)!.bucket)
  expect(spells.map((spell) => spell.beyond)).toEqual(beyond)
})

test('what goes on stays out of the usual, what comes back at its hour every day becomes usual', () => {
  const goesOn = Array.from({ length: 96 }, (_, n) => hour(HOUR + n, [200, n < 48 ? 100 : 400]))
  expect(judgeOutliers(goesOn, RULE, 24).map(({ bucket }) => bucket - HOUR)).toEqual(Array.from({ length: 48 }, (_, n) => 48 + n))
  const nightly = Array.from({ length: 144 }, (_, n) => hour(HOUR + n, [200, n % 24 === 2 ? 800 : 100]))
  expect(judgeOutliers(nightly, RULE, 24).map(({ bucket }) => bucket - HOUR)).toEqual([2, 26])
})

test('a spell says what is usual and from where on runs count', () => {
  const [spell] = judgeOutliers([...usual(30), hour(HOUR + 30, [180, 100], [20, 900])], RULE, 24)
  expect(spell).toMatchObject({ basis: 'history', runs: 200, beyond: 20, learntFrom: 6000 })
  expect(spell!.usual[0]).toBeGreaterThan(90)
  expect(spell!.usual[2]).toBeLessThan(140)
  expect(valueOfStep(spell!.step)).toBeGreaterThan(150)
})

/** `bench:quality` takes those with many runs too. */
const QUICK_SHAPES = HEALTHY_SHAPES.filter(({ name }) => !name.includes('2000'))

test.each(QUICK_SHAPES.map((shape) => [shape.name, shape] as const))(
  'healthy runs are quiet in their second week: %s',
  (_name, shape) => {
    const hours = synthesizeHours(shape, { hours: 14 * 24, seed: 7 })
    const late = (spells: { bucket: number }[], width: number) => spells.filter(({ bucket }) => bucket * width >= HOUR + 7 * 24)
    expect([...late(judgeOutliers(hours, RULE, 24), 1), ...late(judgeOutliers(toDays(hours), RULE, 1), 24)]).toEqual([])
  },
)

test.each(FAULTS.map((fault) => [fault.name, fault] as const))('a planted fault is found: %s', (_name, fault) => {
  const seed = 11
  const shape = HEALTHY_SHAPES.find(({ name }) => name === 'lognormal σ 0.6, 200 runs an hour')!
  const hours = synthesizeHours(shape, { hours: 7 * 24 + 12, seed, fault, faultyHours: [7 * 24, Number.POSITIVE_INFINITY] })
  const found = [...judgeOutliers(hours, RULE, 24), ...judgeOutliers(toDays(hours), RULE, 1)]
  expect(found.length).toBeGreaterThan(0)
})
