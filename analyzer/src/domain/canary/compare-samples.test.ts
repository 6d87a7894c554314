import { describe, expect, test } from '@jest/globals'
import { type CanaryRule, compareSamples, DEFAULT_CANARY_RULE } from './compare-samples.ts'

const LOW = [1, 2, 3, 4, 5, 6, 7, 8]
const HIGH = LOW.map((value) => value + 20)
const compare = (baseline: readonly number[], canary: readonly number[], more: Partial<CanaryRule> = {}) =>
  compareSamples(baseline, canary, { ...DEFAULT_CANARY_RULE, ...more })

describe('a canary', () => {
  test.each([
    ['above its baseline', LOW, HIGH, {}, 'high'],
    ['below its baseline', HIGH, LOW, {}, 'low'],
    ['above, where only less hurts', LOW, HIGH, { direction: 'decrease' }, 'pass'],
    ['below, where only more hurts', HIGH, LOW, { direction: 'increase' }, 'pass'],
    ['alike in another order', LOW, LOW.toReversed(), {}, 'pass'],
    ['of one value, as its baseline', [3, 3], [3], {}, 'pass'],
    ['a little above', LOW, LOW.map((value) => value + 0.1), {}, 'pass'],
    ['above, by less than counts', LOW, HIGH, { effectBounds: [0.1, 10] }, 'pass'],
    ['above a baseline of zeros, whatever counts', [0, 0, 0, 0, 0, 0], HIGH, { effectBounds: [0.1, 10] }, 'high'],
    ['above a baseline below zero', HIGH.map((value) => -value), LOW.map((value) => -value), {}, 'high'],
    ['below a baseline below zero', LOW.map((value) => -value), HIGH.map((value) => -value), {}, 'low'],
    ['without values', LOW, [], {}, 'nodata'],
    ['without a baseline', [], LOW, {}, 'nodata'],
    ['whose values are all missing', LOW, [Number.NaN, Number.NaN], {}, 'nodata'],
    ['whose missing values are zeros', HIGH, LOW.map(() => Number.NaN), { missing: 'zero' }, 'low'],
    ['without values where missing ones are zeros', LOW, [], { missing: 'zero' }, 'pass'],
    ['with a larger mean, where means are compared', [1, 2, 9], [1, 2, 10], { test: 'means' }, 'high'],
    ['with the same mean, where means are compared', [1, 3], [2, 2], { test: 'means' }, 'pass'],
  ] satisfies [string, number[], number[], Partial<CanaryRule>, string][])('%s', (_, baseline, canary, more, expected) =>
    expect(compare(baseline, canary, more)).toMatchObject({ class: expected, isCritical: false }),
  )

  test.each([
    ['an effect beyond the bound', { criticalBounds: [0.5, 2] }, true],
    ['an effect short of the bound', { criticalBounds: [0.01, 100] }, false],
  ] satisfies [string, Partial<CanaryRule>, boolean][])('is critical by %s', (_, more, isCritical) =>
    expect(compare(LOW, HIGH, { isCritical: true, ...more })).toMatchObject({ class: 'high', isCritical }),
  )

  test('without values is critical where they are required', () =>
    expect(compare(LOW, [], { isRequired: true })).toMatchObject({ class: 'nodata', isCritical: true }))

  test('tells its effect: the ratio of means, or the chance to lie above', () => {
    expect(compare([10, 10, 11], [20, 20, 22]).deviation).toBeCloseTo(2)
    expect(compare(LOW, HIGH, { effect: 'common_language' }).deviation).toBe(1)
    expect(compare([0, 0, 0], [1, 2, 3]).deviation).toBeNaN()
  })
})
