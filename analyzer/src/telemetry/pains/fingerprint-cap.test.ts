import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { openDatabase } from '@loopkit/shared/database/open'
import { OVERFLOW_KEY } from '@loopkit/shared/signals/fingerprint-cap'
import { NO_RULES } from '@loopkit/shared/signals/fingerprint-rules'
import { windowOfLast } from '../../domain/window.ts'
import { createTelemetryFixture } from '../telemetry.fixture.ts'
import { openTelemetry } from '../telemetry-file.ts'
import { readPains } from './pain-readings.ts'

const NOW = Date.UTC(2026, 5, 20, 12, 0, 30)
const PROJECT = 7

test('failures that are not told apart any more are no pain, and are named with how many they are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-cap-'))
  const path = join(folder, 'telemetry.db')
  const fixture = createTelemetryFixture(path)
  const failing = (trace: string, name: string) => ({ trace, span: `${trace}-s`, name, error: 'card declined' })
  fixture.send(PROJECT, NOW - 5000, [failing('a', 'charge'), failing('b', 'refund'), failing('c', 'refund')])
  fixture.decide(PROJECT, 'p-1', NOW - 1000)
  const writer = openDatabase(path, { role: 'writer' })
  writer.prepare("update fingerprint set fingerprint = ? where operation = 'refund'").run(OVERFLOW_KEY)
  writer.close()
  const connection = openTelemetry(path)!
  const { pains, omitted } = readPains(connection, {
    ...{ projectNo: PROJECT, projectId: 'p-1', window: windowOfLast(60, NOW), events: null, service: null, off: [], only: null },
    ...{ view: { rootOf: {}, muted: [], rules: NO_RULES }, withMuted: false, painsSkip: 0, painsMax: 50 },
    repeated: { recordsMin: 3, sessionsMin: 2 },
  })
  expect(pains.map(({ facts }) => facts.operation)).toEqual(['charge'])
  expect(omitted).toEqual([{ what: 'failures', count: 2, reason: 'fingerprint_cap' }])
  connection.db.close()
  fixture.close()
  rmSync(folder, { recursive: true })
})
