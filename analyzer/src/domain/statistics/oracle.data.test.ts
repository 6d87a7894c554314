import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { adjustP } from './adjust-p.ts'
import { proportionInterval, wilsonInterval } from './beta.ts'
import { fisherTest, gTest, type TwoByTwo } from './contingency.ts'
import { normalUpperQuantile } from './normal.ts'
import { poissonTest } from './poisson-test.ts'
import { largestDistance, mannWhitneyTest } from './rank-tests.ts'

const path = join(process.cwd(), '..', 'shared', 'data', 'stats_oracle.json')
const hasOracle = existsSync(path)
if (!hasOracle) console.warn(`${path} is not there: the statistics are not compared with SciPy's`)

type Row = { fn: string; args: never } & Record<string, number | number[]>
const rows = hasOracle ? (JSON.parse(readFileSync(path, 'utf8')) as { rows: Row[] }).rows : []

/** Each function's answers in the order of the oracle's fields. */
const answers: Record<string, { fields: string[]; ask(args: never): (number | number[])[] }> = {
  fisher: {
    fields: ['two', 'greater', 'less'],
    ask: (table: TwoByTwo) => [fisherTest(table).twoSided, fisherTest(table).greater, fisherTest(table).less],
  },
  binom_ci95: {
    fields: ['wilson', 'clopper'],
    ask: ([hits, tries]: [number, number]) => {
      const wilson = wilsonInterval(hits, tries, normalUpperQuantile(0.025))
      const exact = proportionInterval(hits, tries, 0.05)
      return [
        [wilson.low, wilson.high],
        [exact.low, exact.high],
      ]
    },
  },
  gtest: { fields: ['g', 'p'], ask: (table: TwoByTwo) => [gTest(table).g, gTest(table).p] },
  poisson_means_test: {
    fields: ['two'],
    ask: ([a, runsA, b, runsB]: [number, number, number, number]) => [
      poissonTest({ failures: a, runs: runsA }, { failures: b, runs: runsB }),
    ],
  },
  mannwhitney_asym: {
    fields: ['u', 'p'],
    ask: ([a, b]: [number[], number[]]) => [mannWhitneyTest(a, b).u, mannWhitneyTest(a, b).p],
  },
  ks: { fields: ['d'], ask: ([a, b]: [number[], number[]]) => [largestDistance(a, b)] },
  bh: { fields: ['adj'], ask: ([values]: [number[]]) => [adjustP(values)] },
}

const relative = (actual: number, expected: number) =>
  actual === expected ? 0 : Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300)

;(hasOracle ? test : test.skip).each(Object.keys(answers))('%s equals SciPy within a millionth', (fn) => {
  const { fields, ask } = answers[fn]!
  const own = rows.filter((row) => row.fn === fn)
  expect(own.length).toBeGreaterThan(30)
  for (const row of own) {
    const got = ask(row.args).flat()
    const expected = fields.flatMap((field) => row[field]!)
    const worst = Math.max(...expected.map((one, i) => relative(got[i]!, one)))
    if (worst >= 1e-6) throw new Error(`${fn} ${JSON.stringify(row.args).slice(0, 200)}: ${got} instead of ${expected}`)
  }
})
