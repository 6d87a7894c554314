import { afterAll, beforeAll } from '@jest/globals'
import { ADMIN_TOKEN, hostileRows } from './hostile.rows.ts'
import { createStage, type Stage } from './stage.ts'
import { testRows } from './test-rows.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage('hostile', { T4_ADMIN_TOKEN: ADMIN_TOKEN })
}, 120_000)
afterAll(() => stage?.stop())

testRows(hostileRows, () => stage)
