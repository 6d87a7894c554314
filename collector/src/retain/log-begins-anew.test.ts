import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

let stored: StoredTelemetry
let projectNo: number
let sent = 0

beforeEach(() => {
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

const logBytes = () => statSync(join(stored.dataDir, 'telemetry.db-wal')).size

/** Some 3 MB that do not compress. */
function sendMegabytes(): void {
  sent++
  stored.send(projectNo, { trace: sent, span: sent, noise: randomBytes(1_500_000).toString('hex') })
}

test('under steady writing the log begins anew in place: it neither grows nor is made small until nothing of it is to be kept', () => {
  for (let n = 0; n < 8; n++) sendMegabytes()
  stored.checkpoints.passive(0)
  // The writer was faster than the checkpoint.
  sendMegabytes()
  stored.tidyLog()
  const bytes = logBytes()
  for (let n = 0; n < 6; n++) sendMegabytes()
  expect(logBytes()).toBe(bytes)
  stored.checkpoints.truncate(true)
  expect(logBytes()).toBe(bytes)
  stored.checkpoints.truncate(false)
  expect(logBytes()).toBe(0)
})

test('a log that a reader let grow is emptied', () => {
  stored.db.exec('begin')
  stored.db.prepare('select count(*) from segment').get()
  for (let n = 0; n < 20; n++) sendMegabytes()
  stored.db.exec('rollback')
  stored.checkpoints.truncate(true)
  expect(logBytes()).toBe(0)
})
