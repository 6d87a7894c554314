import { expect, test } from '@jest/globals'
import { readSettings } from '@loopkit/config/read-settings'
import { INTERVAL_CONFIDENCE } from '../../analyzer/src/capabilities/changes/verdict.rules.ts'
import { toDiagnosisRules } from '../../analyzer/src/telemetry/pains/diagnosis-rules.ts'
import { measureCanaryTraffic, simulateCanaries } from './canary-traffic.ts'
import { simulateCoverage } from './interval-coverage.ts'
import type { Measure } from './measure.ts'
import { measureSlips, simulateSlips } from './slipped-verdicts.ts'

const SIMULATED = { runs: 8, seed: 5 }
/** Of what has more cells. */
const FEWER = { runs: 1, seed: 5 }
const { verifyRule } = toDiagnosisRules(readSettings({}))

/** Of so few histories one may be false by chance; `npm run bench:quality` draws a thousand. */
const ONE_OF_EIGHT = 0.125
const falseShare = ({ figures }: Measure) => figures.find(({ target }) => 'atMost' in target)!.value

test(`what held and stays has not slipped (seed ${SIMULATED.seed})`, () => {
  expect(falseShare(measureSlips(simulateSlips(verifyRule, SIMULATED), SIMULATED))).toBeLessThanOrEqual(ONE_OF_EIGHT)
})

test(`two versions that do the same side by side are not told apart (seed ${SIMULATED.seed})`, () => {
  const cells = simulateCanaries(verifyRule, FEWER)
  expect(falseShare(measureCanaryTraffic(cells, FEWER))).toBe(0)
  expect(cells.filter(({ rate, rho }) => rate === 0.3 && rho === 0).map(({ found }) => found)).toEqual([1, 1])
})

test(`intervals hold the true ratio at every look (seed ${SIMULATED.seed})`, () => {
  const cells = simulateCoverage(verifyRule, FEWER)
  const inside = cells.reduce((sum, { allLooks }) => sum + allLooks, 0) / cells.length
  expect(inside).toBeGreaterThanOrEqual(INTERVAL_CONFIDENCE - 0.05)
})
