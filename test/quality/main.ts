import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readSettings } from '@loopkit/config/read-settings'
import { toDiagnosisRules } from '../../analyzer/src/telemetry/diagnosis-rules.ts'
import { projectRoot } from '../harness/service-process.ts'
import { sharedData } from '../harness/shared-data.ts'
import { startProduct } from '../harness/start-product.ts'
import { measureVerdicts, simulateVerdicts } from './false-verdicts.ts'
import type { Measure } from './measure.ts'
import { measureMustFind, readMustFind } from './must-find.ts'
import { qualityMarkdown } from './quality-markdown.ts'
import { findSets, NOT_MEASURED } from './sets.ts'
import { measureTrends, simulateTrends } from './trend-alarms.ts'

/**
 * `npm run bench:quality -- [--full] [--seed 1] [--save]`: how good the answers are, on public sets beside published figures, and how
 * often a verdict is false, simulated (`--full`: 20,000 histories a cell, some ten minutes,
 * in the place of 1,000, two minutes). `--save` writes docs/generated/quality.md.
 */
const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    save: { type: 'boolean', default: false },
  },
})

const TREND_WEEKS = 40
const RUNS = 1_000
const RUNS_FULL = 20_000

const { present, absent } = findSets(sharedData)
for (const { name, data } of absent) console.error(`${name}: not measured, ../shared/data/${data} is absent`)
const measures = present.map(({ name, path, measure }) => {
  console.error(`measuring: ${name}`)
  return measure(path)
})
const trail = join(sharedData, 'trail')
if (existsSync(trail)) measures.push(await measureThroughProduct(trail))
console.error('simulating: trends of pains that hurt as always')
const trends = { weeks: TREND_WEEKS, seed: Number(values.seed) }
measures.push(measureTrends(simulateTrends(trends), trends))
const { verifyRule } = toDiagnosisRules(readSettings({}))
const runs = values.full ? RUNS_FULL : RUNS
console.error(`simulating: ${runs} histories a cell, seed ${values.seed}`)
const verdicts = simulateVerdicts(verifyRule, { runs, seed: Number(values.seed) })
const text = qualityMarkdown({
  measures: [...measures, measureVerdicts(verdicts)],
  notMeasured: [
    ...absent.map(({ name, data }) => ({ name, published: '', target: '', why: `../shared/data/${data} is absent` })),
    ...NOT_MEASURED,
  ],
  verdicts,
})
console.log(text)
if (values.save) {
  const path = join(projectRoot, 'docs', 'generated', 'quality.md')
  writeFileSync(path, text)
  console.log(`written: ${path}`)
}

async function measureThroughProduct(folder: string): Promise<Measure> {
  console.error('measuring: must-find pains, through a running product')
  const product = await startProduct({ env: { LOOPKIT_QUIET_MS: '500' } })
  try {
    return measureMustFind(await readMustFind(product, folder))
  } finally {
    await product.stop()
  }
}
