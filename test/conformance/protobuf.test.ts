import { afterAll, beforeAll } from '@jest/globals'
import { protobufRows } from './protobuf.rows.ts'
import { createStage, type Stage } from './stage.ts'
import { testRows } from './test-rows.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage('protobuf')
}, 120_000)
afterAll(() => stage?.stop())

testRows(protobufRows, () => stage)
