import { afterAll, beforeAll } from '@jest/globals'
import { exporterFlowRows } from './exporter-flow.rows.ts'
import { exporterShapeRows } from './exporter-shape.rows.ts'
import { createStage, type Stage } from './stage.ts'
import { testRows } from './test-rows.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage('exporters', { LOOPKIT_SUMMARY_MS: '1000' })
}, 120_000)
afterAll(() => stage?.stop())

testRows(exporterShapeRows, () => stage)
testRows(exporterFlowRows, () => stage)
