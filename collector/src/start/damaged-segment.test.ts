import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { acknowledgeDataLosses } from '@loopkit/shared/database/guard/data-loss'
import { openDatabase } from '@loopkit/shared/database/open'
import { spanIdOf, startTestCollector, type TestCollector, traceIdOf, traceJson, until } from './collector.fixture.ts'

let collector: TestCollector
afterEach(() => collector.stop())

const failing = (trace: number, span: number) =>
  traceJson([{ traceId: traceIdOf(trace), spanId: spanIdOf(span), status: { code: 2, message: 'boom' } }])
const readyz = async () => {
  const { status, body } = await collector.send('', { path: '/readyz', method: 'GET' })
  return { status, text: body.toString() }
}

/** As a disk does. */
function flipBody(firstCommit: number): void {
  const db = openDatabase(join(collector.dataDir, 'telemetry.db'), { role: 'writer' })
  const body = Buffer.from(db.prepare('select body from segment where first_commit = ?').pluck().get(firstCommit) as Uint8Array)
  body[Math.floor(body.length / 2)]! ^= 0x10
  db.prepare('update segment set body = ? where first_commit = ?').run(body, firstCommit)
  db.close()
}

test('a flipped byte in a segment is told with its commits, stops nobody, and is never shown', async () => {
  collector = await startTestCollector({ env: { LOOPKIT_QUIET_MS: '1500' } })
  await collector.send(failing(1, 1))
  await collector.send(failing(2, 1))
  flipBody(1)
  await collector.restart()
  expect(collector.trace(traceIdOf(1))).toEqual([])
  expect(collector.trace(traceIdOf(2))).toHaveLength(1)
  const told = await until(
    'the damage to be told',
    () => collector.logLines.find(({ code }) => code === 'data_loss_detected') ?? null,
  )
  expect(told).toMatchObject({ from_commit: 1, to_commit: 1, level: 'error' })
  expect(await readyz()).toMatchObject({ status: 503, text: expect.stringContaining('commit 1 of telemetry.db') })
  expect((await collector.send(failing(1, 1))).status).toBe(200)
  expect(collector.trace(traceIdOf(1))).toHaveLength(1)
  await until('both traces to be decided', () => (collector.rows('select * from failure').length === 2 ? true : null))
  acknowledgeDataLosses(collector.dataDir, 'telemetry.db', '2026-01-01T00:00:00.000Z', 'somebody')
  expect((await readyz()).status).toBe(200)
  expect(collector.logLines.filter(({ code }) => code === 'data_loss_detected')).toHaveLength(1)
  expect(collector.logLines).toContainEqual(
    expect.objectContaining({ code: 'data_loss.acknowledged', acknowledged_by: 'somebody' }),
  )
  expect(collector.fatal).toEqual([])
}, 30_000)
