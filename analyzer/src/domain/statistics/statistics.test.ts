import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { betaCdf, betaQuantile, proportionInterval } from './beta.ts'
import { fisherTest, gTest } from './contingency.ts'
import { gammaCdf, gammaQuantile } from './gamma.ts'
import { lnGamma } from './ln-gamma.ts'
import { poissonTest } from './poisson-test.ts'
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

const EXTREMES = [0, 1, 2, 1_000, 1e6, 1e9]
const tables = EXTREMES.flatMap((a) =>
  EXTREMES.flatMap((b) => [0, 7, 1e9].flatMap((c) => [1, 1e6, 1e9].map((d) => [a, b, c, d] as const))),
)

describe('counts from nothing to a billion', () => {
  test('give chances, all of which are numbers, in bounded time', () => {
    const started = process.cpuUsage()
    for (const [a, b, c, d] of tables) {
      const table = [
        [a, b],
        [c, d],
      ] as const
      const { twoSided, greater, less } = fisherTest(table)
      const { g, p } = gTest(table)
      const wrong = [twoSided, greater, less, p].filter((chance) => !(chance >= 0 && chance <= 1))
      expect({ table, wrong, g: Number.isFinite(g), both: greater + less > 0.999_999 }).toEqual({
        table,
        wrong: [],
        g: true,
        both: true,
      })
    }
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(5_000)
  })

  test.each([
    [[500, 999_999_500], [600, 999_999_400], 0.002_819_537_42],
    [[5e8, 5e8], [500_010_000, 499_990_000], 0.654_753_133],
    [[20, 1e6], [60, 1e6], 8.577_141_8e-6],
  ] as const)('keep their digits in the exact test of %j and %j', (one, other, expected) => {
    expect(Math.abs(fisherTest([one, other]).twoSided / expected - 1)).toBeLessThan(1e-6)
  })

  test('keep the digits of a G next to nothing', () => {
    // 2 ((1 + u) ln(1 + u) + (1 - u) ln(1 - u)) × 5e8 with u = 1e-5, by its series.
    const { g } = gTest([
      [500_005_000, 499_995_000],
      [499_995_000, 500_005_000],
    ])
    expect(g / (2e9 * (1e-10 + 1e-20 / 6))).toBeCloseTo(1, 9)
  })

  test('of no runs say nothing', () => {
    expect(poissonTest({ failures: 0, runs: 0 }, { failures: 5, runs: 10 })).toBe(1)
    expect(
      gTest([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual({ g: 0, p: 1 })
    expect(proportionInterval(0, 0, 0.05)).toEqual({ low: 0, high: 1 })
  })

  test.each([
    [1e6, 0.025],
    [1e9, 1e-6],
    [1e9, 0.975],
  ])('have quantiles: Gamma(%d) at %d', (shape, chance) => {
    expect(gammaCdf(shape, gammaQuantile(chance, shape)) / chance).toBeCloseTo(1, 6)
  })

  test.each([
    [1, 1e9, 0.025],
    [1_000, 1e9, 1e-6],
    [5e8, 5e8, 0.975],
  ])('have quantiles: Beta(%d, %d) at %d', (a, b, chance) => {
    expect(betaCdf(a, b, betaQuantile(chance, a, b)) / chance).toBeCloseTo(1, 6)
  })

  test('of two Poisson variables are told apart in bounded time', () => {
    const p = poissonTest({ failures: 1_000_000, runs: 1e6 }, { failures: 1_003_000, runs: 1e6 })
    // z = 3000 / √2,003,000 = 2.1197
    expect(p).toBeCloseTo(0.034, 3)
  })
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
