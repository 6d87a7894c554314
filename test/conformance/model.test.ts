import { afterAll, beforeAll } from '@jest/globals'
import { modelRows } from './model.rows.ts'
import { createStage, type Stage } from './stage.ts'
import { testRows } from './test-rows.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage('model')
}, 120_000)
afterAll(() => stage?.stop())

testRows(modelRows, () => stage)
