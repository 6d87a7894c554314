import { afterAll, beforeAll } from '@jest/globals'
import { encodingRows } from './encodings.rows.ts'
import { createStage, type Stage } from './stage.ts'
import { testRows } from './test-rows.ts'
import { transportRows } from './transport.rows.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage('transport')
}, 120_000)
afterAll(() => stage?.stop())

testRows(encodingRows, () => stage)
testRows(transportRows, () => stage)
