import { adjustP } from '../../analyzer/src/domain/statistics/adjust-p.ts'
import { proportionInterval, wilsonInterval } from '../../analyzer/src/domain/statistics/beta.ts'
import { fisherTest, gTest, type TwoByTwo } from '../../analyzer/src/domain/statistics/contingency.ts'
import { normalUpperQuantile } from '../../analyzer/src/domain/statistics/normal.ts'
import { poissonTest } from '../../analyzer/src/domain/statistics/poisson-test.ts'
import { largestDistance, mannWhitneyTest } from '../../analyzer/src/domain/statistics/rank-tests.ts'
import type { Measure } from './measure.ts'
import { NothingToMeasure, readJsonSet } from './read-set.ts'

const ERROR_BELOW = 1e-6

type Row = { fn: string; args: never } & Record<string, number | number[]>

/** Each function's answers in the order of the oracle's fields. */
const ANSWERS: Record<string, { fields: string[]; ask(args: never): (number | number[])[] }> = {
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

/** Largest relative error of each function against SciPy's; a function that the oracle has and we have not is an error. */
export function measureStatistics(path: string): Measure {
  const { rows } = readJsonSet(path) as { rows: Row[] }
  if (rows.length === 0) throw new NothingToMeasure('no row in it')
  const functions = [...Map.groupBy(rows, ({ fn }) => fn)]
  return {
    name: 'statistics',
    published: '–',
    figures: functions.map(([name, own]) => ({
      name: `${name}, largest relative error`,
      value: Math.max(...own.map(errorOf)),
      target: { below: ERROR_BELOW },
    })),
    note: `${rows.length} rows from SciPy`,
  }
}

function errorOf(row: Row): number {
  const answer = ANSWERS[row.fn]
  if (!answer) return Number.POSITIVE_INFINITY
  const got = answer.ask(row.args).flat()
  const expected = answer.fields.flatMap((field) => row[field]!)
  return Math.max(...expected.map((one, at) => relativeError(got[at]!, one)))
}

function relativeError(actual: number, expected: number): number {
  return actual === expected ? 0 : Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300)
}
