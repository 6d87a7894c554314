import { afterAll, beforeAll } from '@jest/globals'
import { exporterRows } from './exporter.rows.ts'
import { createStage, type Stage } from './stage.ts'
import { testRows } from './test-rows.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage('exporters', { LOOPKIT_SUMMARY_MS: '1000' })
}, 60_000)
afterAll(() => stage?.stop())

testRows(exporterRows, () => stage)
