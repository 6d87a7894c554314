import { afterAll, beforeAll } from '@jest/globals'
import { grpcRows } from './grpc.rows.ts'
import { settingsRows } from './settings.rows.ts'
import { createSettingsStage, type SettingsStage } from './settings-stage.ts'
import { testRows } from './test-rows.ts'

let stage: SettingsStage
beforeAll(async () => {
  stage = await createSettingsStage()
}, 120_000)
afterAll(() => stage?.stop())

testRows(settingsRows, () => stage)
testRows(grpcRows, () => stage)
