import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { betaCdf, betaQuantile, proportionInterval } from './beta.ts'
import { gammaCdf, gammaQuantile, lnGamma } from './gamma.ts'
import { rateRatio, runsToShowFall } from './rate-ratio.ts'

const close = (actual: number, expected: number) =>
  expect(Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300)).toBeLessThan(1e-9)

describe('special functions', () => {
  test.each([
    [0.5, Math.log(Math.sqrt(Math.PI))],
    [1, 0],
    [5, Math.log(24)],
    [11, Math.log(3_628_800)],
  ])('lnGamma(%d)', (x, expected) => expect(lnGamma(x)).toBeCloseTo(expected, 12))

  test('an exponential is a Gamma of shape one', () => close(gammaCdf(1, 2), 1 - Math.exp(-2)))
  test('a uniform is a Beta(1, 1)', () => close(betaCdf(1, 1, 0.3), 0.3))
  test.each([0.5, 1.5, 10.5, 1000.5])('the quantile of a Gamma(%d) undoes its distribution', (shape) =>
    expect(gammaCdf(shape, gammaQuantile(0.05, shape))).toBeCloseTo(0.05, 9),
  )
  test.each([
    [1, 10],
    [50, 3],
    [400, 600],
  ])('the quantile of a Beta(%d, %d) undoes its distribution', (a, b) =>
    expect(betaCdf(a, b, betaQuantile(0.95, a, b))).toBeCloseTo(0.95, 9),
  )
})

const oracle = join(process.cwd(), '..', 'shared', 'data', 'stats_oracle.json')
const hasOracle = existsSync(oracle)
if (!hasOracle) console.warn(`${oracle} is not there: intervals are not compared with SciPy's`)

interface OracleRow {
  fn: string
  args: [number, number]
  clopper: [number, number]
}
const rows = hasOracle ? (JSON.parse(readFileSync(oracle, 'utf8')) as { rows: OracleRow[] }).rows : []
const intervals = rows.filter(({ fn }) => fn === 'binom_ci95')

;(hasOracle ? test : test.skip)(`the interval of a proportion equals SciPy's in ${intervals.length} cases`, () => {
  expect(intervals.length).toBeGreaterThan(10)
  for (const { args, clopper } of intervals) {
    const { low, high } = proportionInterval(args[0], args[1], 0.05)
    for (const [actual, expected] of [
      [low, clopper[0]],
      [high, clopper[1]],
    ] as const) {
      if (expected === 0 || expected === 1) expect(actual).toBe(expected)
      else expect(Math.abs(actual - expected) / expected).toBeLessThan(1e-6)
    }
  }
})

describe('the ratio of two rates', () => {
  test('is inside its interval, which has no upper end where nothing failed before', () => {
    const { value, low, high } = rateRatio({ failures: 10, runs: 100 }, { failures: 5, runs: 100 }, 0.05)
    expect([value, low < 0.5, high! > 0.5]).toEqual([0.5, true, true])
    expect(rateRatio({ failures: 0, runs: 100 }, { failures: 5, runs: 100 }, 0.05)).toMatchObject({ value: null, high: null })
    expect(rateRatio({ failures: 0, runs: 100 }, { failures: 0, runs: 100 }, 0.05)).toEqual({ value: null, low: 0, high: null })
  })

  test('needs runs to show a fall, the fewer the more failed before', () => {
    const many = runsToShowFall({ failures: 100, runs: 1000 }, 0.8, 0.01)!
    const few = runsToShowFall({ failures: 10, runs: 1000 }, 0.8, 0.01)!
    expect([many < few, runsToShowFall({ failures: 0, runs: 10 }, 0.8, 0.01)]).toEqual([true, null])
  })
})
