import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { openDatabase } from '@loopkit/shared/database/open'
import { answer } from '../../../analyzer/src/telemetry/answer.ts'
import { toDiagnosisRules } from '../../../analyzer/src/telemetry/diagnosis-rules.ts'
import { openTelemetry } from '../../../analyzer/src/telemetry/telemetry-file.ts'
import { addProject, createControl } from '../../../collector/src/start/collector.fixture.ts'
import { fillStore } from './fill-store.ts'

const END_MS = 1_800_000_000_000
const SPANS = 14_000
const rules = toDiagnosisRules({
  ...{
    sinceMinutesDefault: 1440,
    signalsOff: '',
    signalsMin: '',
    repeatedRecordsMin: 3,
    repeatedSessionsMin: 2,
    verdictDelta: 0.2,
  },
})

function diagnose(path: string, projectNo: number, sinceMinutes: number): string {
  const connection = openTelemetry(path)!
  const toMinute = END_MS / 60_000
  const window = { fromMinute: toMinute - sinceMinutes, toMinute }
  const asked = { projectNo, projectId: 'shop', tenantId: 't', window, service: null, sinceMinutes, budgetTokens: null }
  const view = { rootOf: {}, muted: [], rules: { rules: [], splits: {} } }
  const shown = { painsSkip: 0, painsMax: 50, events: null, only: null, view, withMuted: false, nowMs: END_MS }
  try {
    return answer(connection, 'diagnosis', { ...rules, ...asked, ...shown, ledger: { changes: [], statusOf: {} } }).packetJson
  } finally {
    connection.db.close()
  }
}

test('a diagnosis says the same with rollups as one by one, whatever its window', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-rolled-'))
  try {
    const control = createControl(join(dataDir, 'control.db'))
    const projectNo = addProject(control, { name: 'shop' })
    control.close()
    fillStore({ dataDir, projectNo, spans: SPANS, endMs: END_MS, print: () => {} })
    const path = join(dataDir, 'telemetry.db')
    const windows = [1440, 1439, 700, 61, 5]
    const rolled = windows.map((sinceMinutes) => diagnose(path, projectNo, sinceMinutes))
    const db = openDatabase(path, { role: 'writer' })
    expect(db.prepare('select count(*) from pain_rollup').pluck().get()).toBeGreaterThan(100)
    db.exec('delete from rolled_up; delete from pain_rollup; delete from count_rollup')
    db.close()
    const single = windows.map((sinceMinutes) => diagnose(path, projectNo, sinceMinutes))
    expect((JSON.parse(single[0]!) as { issues: unknown[] }).issues).toHaveLength(50)
    expect(rolled).toEqual(single)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 120_000)
