import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readSettings } from '@loopkit/config/read-settings'
import { toDiagnosisRules } from '../../analyzer/src/telemetry/pains/diagnosis-rules.ts'
import { projectRoot } from '../harness/service-process.ts'
import { sharedData } from '../harness/shared-data.ts'
import { startProduct } from '../harness/start-product.ts'
import { measureCanaryTraffic, simulateCanaries } from './canary-traffic.ts'
import { countFalseAlarms, measureFalseAlarms } from './false-alarms.ts'
import { measureVerdicts, simulateVerdicts } from './false-verdicts.ts'
import { measureCoverage, simulateCoverage } from './interval-coverage.ts'
import type { Measure } from './measure.ts'
import { measureMustFind, mustFindIn, readMustFind } from './must-find.ts'
import { measureOutliers, simulateOutliers } from './outlier-alarms.ts'
import { type QualityReport, qualityMarkdown } from './quality-markdown.ts'
import { locateSet } from './read-set.ts'
import { findSets, tryMeasure, whyNot } from './sets.ts'
import { measureSlips, simulateSlips } from './slipped-verdicts.ts'
import { measureTrends, simulateTrends } from './trend-alarms.ts'

/**
 * `npm run bench:quality -- [--full] [--seed 1] [--save] [--data ../shared/data]`: how good the answers are, on public sets beside
 * published figures, and how often a verdict is false, simulated (`--full`: 20,000 histories a cell, some ten minutes, in the place of 1,000,
 * two minutes). `--save` writes docs/generated/quality.md. `--data`: another folder of the same layout; what it lacks is named and left out.
 */
const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    save: { type: 'boolean', default: false },
    data: { type: 'string', default: sharedData },
  },
})

const HEALTHY_TRACES = 20_000
const TREND_WEEKS = 40
/** Of each shape, some twenty seconds in all. */
const OUTLIER_OPERATIONS = 10
const RUNS = 1_000
const RUNS_FULL = 20_000
/** Histories a cell of the other simulations: some two minutes for all. */
const RUNS_EACH = 1_000

const folder = resolve(values.data)
console.error(existsSync(folder) ? `sets: ${folder}` : `sets: ${folder} is absent; only what is simulated is measured`)
const { present, absent } = findSets(folder)
const notMeasured: QualityReport['notMeasured'][number][] = absent.map(({ name, data }) => leaveOut(name, `${data} is absent`))
const measures: Measure[] = []
for (const set of present) {
  console.error(`measuring: ${set.name}`)
  const measured = tryMeasure(set)
  if ('why' in measured) notMeasured.push(leaveOut(set.name, measured.why))
  else measures.push(measured)
}
const trail = locateSet(folder, 'trail')
if (trail !== null) {
  const mustFind = await measureThroughProduct(trail).catch((error: unknown) => ({ why: whyNot(error) }))
  if ('why' in mustFind) notMeasured.push(leaveOut('must-find pains', mustFind.why))
  else measures.push(mustFind)
}
console.error('counting: false alarms on healthy traces')
const healthy = { traces: HEALTHY_TRACES, seed: Number(values.seed) }
measures.push(measureFalseAlarms(countFalseAlarms(healthy), healthy))
console.error('simulating: trends of pains that hurt as always')
const trends = { weeks: TREND_WEEKS, seed: Number(values.seed) }
measures.push(measureTrends(simulateTrends(trends), trends))
console.error('simulating: times of healthy and of slower runs')
const outliers = { operations: OUTLIER_OPERATIONS, seed: Number(values.seed) }
measures.push(measureOutliers(simulateOutliers(outliers), outliers))
const { verifyRule } = toDiagnosisRules(readSettings({}))
const runs = values.full ? RUNS_FULL : RUNS
console.error(`simulating: ${runs} histories a cell, seed ${values.seed}`)
const verdicts = simulateVerdicts(verifyRule, { runs, seed: Number(values.seed) })
const text = qualityMarkdown({
  isOther: folder !== resolve(sharedData),
  measures: [...measures, measureVerdicts(verdicts), ...simulateRest()],
  notMeasured,
  verdicts,
})
console.log(text)
if (values.save) {
  const path = join(projectRoot, 'docs', 'generated', 'quality.md')
  writeFileSync(path, text)
  console.log(`written: ${path}`)
}

/** What else verdicts promise. */
function simulateRest(): Measure[] {
  const options = { runs: RUNS_EACH, seed: Number(values.seed) }
  console.error('simulating: what held and comes back, two versions side by side, intervals')
  return [
    measureSlips(simulateSlips(verifyRule, options), options),
    measureCanaryTraffic(simulateCanaries(verifyRule, options), options),
    measureCoverage(simulateCoverage(verifyRule, options), options),
  ]
}

async function measureThroughProduct(folder: string): Promise<Measure> {
  console.error('measuring: must-find pains, through a running product')
  const product = await startProduct({ env: { LOOPKIT_QUIET_MS: '500' } })
  try {
    return measureMustFind(await readMustFind(product, folder), mustFindIn(folder))
  } finally {
    await product.stop()
  }
}

function leaveOut(name: string, why: string): QualityReport['notMeasured'][number] {
  console.error(`${name}: not measured: ${why}`)
  return { name, published: '', target: '', why }
}
