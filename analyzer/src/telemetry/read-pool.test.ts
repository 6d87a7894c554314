import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ReadPool, type ReadPoolOptions } from './read-pool.ts'
import { createTelemetryFixture } from './telemetry.fixture.ts'

let folder: string
let path: string
const pools: ReadPool[] = []
const open = (options: Partial<ReadPoolOptions> = {}) => {
  const pool = new ReadPool({ path, ...options })
  pools.push(pool)
  return pool
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-pool-'))
  path = join(folder, 'telemetry.db')
})
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close()
  rmSync(folder, { recursive: true })
})
const window = { fromMinute: 0, toMinute: 10 }
const fill = () => {
  const fixture = createTelemetryFixture(path)
  fixture.db.prepare("insert into ledger values (1, 5, 'accepted', 3)").run()
  return fixture
}

test('answers from the file as soon as it is there', async () => {
  const pool = open()
  expect(await pool.ask('ledger', { projectNo: 1, window })).toEqual({ counts: {} })
  fill().close()
  expect(await pool.ask('ledger', { projectNo: 1, window })).toEqual({ counts: { accepted: 3 } })
})

test('refuses a file of a newer version, and says so', async () => {
  const fixture = fill()
  fixture.db.prepare("insert into schema_migration values (99, 'from the future')").run()
  fixture.close()
  await expect(open().ask('ledger', { projectNo: 1, window })).rejects.toMatchObject({ code: 'SQLITE_BUSY', message: /newer/ })
})

test('refuses a file of an older version: a collector that still writes it has not stored nothing', async () => {
  const fixture = fill()
  fixture.db.exec('delete from schema_migration where number = (select max(number) from schema_migration)')
  fixture.close()
  await expect(open().ask('ledger', { projectNo: 1, window })).rejects.toMatchObject({ code: 'SQLITE_BUSY', message: /older/ })
})

test('answers many that ask at once, twice each', async () => {
  fill().close()
  const pool = open()
  const asked = Array.from({ length: 2 * 100 }, () => pool.ask('ledger', { projectNo: 1, window }))
  expect(new Set((await Promise.all(asked)).map(({ counts }) => counts.accepted))).toEqual(new Set([3]))
})

test('a question that comes while a worker rehearses is asked of that one', async () => {
  fill().close()
  const pool = open({ workers: 2 })
  const finished: string[] = []
  const rehearsed = pool.rehearse().then(() => finished.push('rehearsed'))
  const asked = pool.ask('ledger', { projectNo: 1, window }).then(() => finished.push('answered'))
  await Promise.all([rehearsed, asked])
  expect(finished).toEqual(['rehearsed', 'answered'])
})

test('refuses what has waited too long', async () => {
  fill().close()
  const pool = open({ workers: 1, waitMaxMs: 1 })
  const asked = Array.from({ length: 3 }, () => pool.ask('ledger', { projectNo: 1, window }))
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(await pool.ask('ledger', { projectNo: 1, window })).toEqual({ counts: { accepted: 3 } })
})

test('refuses a question that takes too long, and answers the next one', async () => {
  fill().close()
  const pool = open({ workers: 1, timeoutMs: 1 })
  await expect(pool.ask('ledger', { projectNo: 1, window })).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
  const patient = open({ workers: 1 })
  expect(await patient.ask('ledger', { projectNo: 1, window })).toEqual({ counts: { accepted: 3 } })
})

test('refuses what no more can wait', async () => {
  const pool = open({ workers: 1, waitingMax: 1 })
  const asked = Array.from({ length: 5 }, () => pool.ask('ledger', { projectNo: 1, window }))
  const settled = await Promise.allSettled(asked)
  expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected'])
})

test('a question that fails costs neither its worker nor the others', async () => {
  const fixture = fill()
  fixture.db.exec('drop table release')
  fixture.close()
  const pool = open({ workers: 1 })
  await expect(pool.ask('releases', { projectNo: 1 })).rejects.toThrow('no such table')
  expect(await pool.ask('ledger', { projectNo: 1, window })).toEqual({ counts: { accepted: 3 } })
})

test('close ends the workers and refuses what is asked later', async () => {
  const pool = open()
  await pool.ask('ledger', { projectNo: 1, window })
  await pool.close()
  await pool.close()
  await expect(pool.ask('ledger', { projectNo: 1, window })).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
})
