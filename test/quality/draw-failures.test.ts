import { expect, test } from '@jest/globals'
import { mulberry32 } from '../demo/random.ts'
import { drawWindow } from './draw-failures.ts'

const SEED = 41
const WINDOWS = 20_000
const RUNS = 50

test.each([
  [0.02, 0],
  [0.1, 0.02],
  [0.3, 0.05],
])(`windows at rate %d and correlation %d have their mean and variance (seed ${SEED})`, (rate, rho) => {
  const random = mulberry32(SEED)
  const counts = Array.from({ length: WINDOWS }, () => drawWindow(random, RUNS, rate, rho).failures)
  const mean = counts.reduce((sum, count) => sum + count, 0) / WINDOWS
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / WINDOWS
  expect(mean / (RUNS * rate)).toBeCloseTo(1, 1)
  expect(variance / (RUNS * rate * (1 - rate) * (1 + (RUNS - 1) * rho))).toBeCloseTo(1, 1)
})
