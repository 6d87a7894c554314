import { afterAll, beforeAll } from '@jest/globals'
import { type ConnectionStage, connectionRows, startSlowSenders } from './connection.rows.ts'
import { createStage } from './stage.ts'
import { testRows } from './test-rows.ts'

let stage: ConnectionStage
beforeAll(async () => {
  const started = await createStage('connections')
  stage = { ...started, slow: startSlowSenders(started) }
}, 120_000)
afterAll(() => stage?.stop())

testRows(connectionRows, () => stage)
