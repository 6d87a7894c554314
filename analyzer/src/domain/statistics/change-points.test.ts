import { describe, expect, test } from '@jest/globals'
import { changePoints } from './change-points.ts'

/** Noise without chance: a sine of an irrational step. */
const noisy = (length: number, of: (i: number) => number) => [Array.from({ length }, (_, i) => of(i) + 0.3 * Math.sin(i * i))]

describe('a series', () => {
  test.each([
    ['that steps up once', noisy(100, (i) => (i < 60 ? 0 : 3)), [60]],
    ['that steps up and down', noisy(120, (i) => (i < 40 || i >= 80 ? 0 : 3)), [40, 80]],
    ['that only rises', noisy(100, (i) => i / 10), []],
    ['of numbers whose squares are none', [Array.from({ length: 60 }, (_, i) => (i < 30 ? 1e300 : 2e300))], [30]],
    ['of numbers next to nothing', [Array.from({ length: 60 }, (_, i) => (i < 30 ? 1e-300 : 2e-300))], [30]],
    ['that stays', noisy(100, () => 5), []],
    ['without any noise', [Array.from({ length: 20 }, () => 1)], []],
    ['too short to tell', [[1, 5, 1]], []],
    ['of nothing', [], []],
  ])('%s changes there', (_, series, expected) => expect(changePoints(series)).toEqual(expected))
})
