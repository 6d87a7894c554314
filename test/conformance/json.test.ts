import { afterAll, beforeAll } from '@jest/globals'
import { jsonRows } from './json.rows.ts'
import { createStage, type Stage } from './stage.ts'
import { testRows } from './test-rows.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage('json')
}, 120_000)
afterAll(() => stage?.stop())

testRows(jsonRows, () => stage)
