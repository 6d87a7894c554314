import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { openDatabase } from '@loopkit/shared/database/open'
import { answer } from '../../../analyzer/src/telemetry/answer.ts'
import { toDiagnosisRules } from '../../../analyzer/src/telemetry/pains/diagnosis-rules.ts'
import { createReadMemory } from '../../../analyzer/src/telemetry/read-memory.ts'
import { openTelemetry, type TelemetryConnection } from '../../../analyzer/src/telemetry/telemetry-file.ts'
import { openRetainedStore } from '../../../collector/src/retain/retained-store.ts'
import { createRollUp } from '../../../collector/src/retain/roll-up.ts'
import { addProject, createControl } from '../../../collector/src/start/collector.fixture.ts'
import { fillStore } from './fill-store.ts'

const END_MS = 1_800_000_000_000
const SPANS = 14_000
const DAY_MS = 86_400_000
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

function open(path: string, memory = createReadMemory()): TelemetryConnection {
  return openTelemetry(path, undefined, undefined, memory)!
}

function ask(connection: TelemetryConnection, projectNo: number, sinceMinutes: number, endMs = END_MS): string {
  const toMinute = endMs / 60_000
  const window = { fromMinute: toMinute - sinceMinutes, toMinute }
  const asked = { projectNo, projectId: 'shop', tenantId: 't', window, service: null, sinceMinutes, budgetTokens: null }
  const view = { rootOf: {}, muted: [], rules: { rules: [], splits: {} } }
  const shown = { painsSkip: 0, painsMax: 50, events: null, only: null, view, withMuted: false, nowMs: endMs }
  return answer(connection, 'diagnosis', { ...rules, ...asked, ...shown, ledger: { changes: [], statusOf: {} } }).packetJson
}

function diagnose(path: string, projectNo: number, sinceMinutes: number): string {
  const connection = open(path)
  try {
    return ask(connection, projectNo, sinceMinutes)
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

test('a reader that remembers says what one says that does not, whatever came in between', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-remembered-'))
  const connections: TelemetryConnection[] = []
  try {
    const control = createControl(join(dataDir, 'control.db'))
    const projectNo = addProject(control, { name: 'shop' })
    control.close()
    const fill = (endMs: number) => fillStore({ dataDir, projectNo, spans: SPANS / 2, endMs, print: () => {} })
    fill(END_MS)
    const path = join(dataDir, 'telemetry.db')
    const [remembering, forgetful] = [open(path), open(path, createReadMemory(0))]
    connections.push(remembering, forgetful)
    const windows = [1440, 1439, 61, 5]
    const both = (endMs: number) => {
      for (const sinceMinutes of [...windows, ...windows]) {
        const told = ask(remembering, projectNo, sinceMinutes, endMs)
        expect(told === ask(forgetful, projectNo, sinceMinutes, endMs)).toBe(true)
      }
    }
    both(END_MS)
    // A day later: segments were joined, hours and days closed.
    fill(END_MS + DAY_MS)
    both(END_MS + DAY_MS)
    both(END_MS + DAY_MS - 17 * 60_000)
    // What was decided is taken back, as a correction does it.
    takeBack(path)
    both(END_MS + DAY_MS)
    mend(path)
    both(END_MS + DAY_MS)
    const afterStart = open(path)
    connections.push(afterStart)
    expect(ask(afterStart, projectNo, 1440, END_MS + DAY_MS)).toBe(ask(remembering, projectNo, 1440, END_MS + DAY_MS))
  } finally {
    for (const { db } of connections) db.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 240_000)

/** One failure in ten of the last hours, with the marks that a correction leaves. */
function takeBack(path: string): void {
  const db = openDatabase(path, { role: 'writer' })
  const taken = db
    .prepare(
      `select f.failure_no, f.fingerprint_no, d.project_no, d.decided_ms, f.event_ms from decided_failure f
       join decision d on f.failure_no between d.first_failure_no and d.last_failure_no where f.failure_no % 10 = 0`,
    )
    .all() as { failure_no: number; fingerprint_no: number; project_no: number; decided_ms: number; event_ms: number }[]
  const remove = db.prepare('delete from decided_failure where failure_no = ?')
  const stale = db.prepare('insert or ignore into stale_rollup values (?, ?, ?)')
  const count = db.prepare(
    `insert into failure_count values (?, ?, ?, ?, 0, -1, -1, 1)
     on conflict do update set failures = failures - 1, weight = weight - 1, weight_squared = weight_squared + 1`,
  )
  const lastMinute = Math.floor(Math.max(...taken.map(({ decided_ms }) => decided_ms)) / 60_000)
  db.transaction(() => {
    for (const { failure_no, fingerprint_no, project_no, decided_ms, event_ms } of taken) {
      remove.run(failure_no)
      stale.run(project_no, fingerprint_no, Math.floor(decided_ms / 3_600_000))
      count.run(project_no, lastMinute + 1, Math.floor(event_ms / 60_000), fingerprint_no)
    }
  })()
  db.close()
}

/** Makes the hours anew that failures were taken back from. */
function mend(path: string): void {
  const store = openRetainedStore(path, { nowMs: () => END_MS + 2 * DAY_MS, monotonicMs: () => performance.now() }, 1000)
  const rollUp = createRollUp(store)
  while (rollUp.foldNext());
  store.close()
}

test('many pains are weighed against a change in one look as each by itself', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-exposures-'))
  try {
    const control = createControl(join(dataDir, 'control.db'))
    const projectNo = addProject(control, { name: 'shop' })
    control.close()
    fillStore({ dataDir, projectNo, spans: SPANS, endMs: END_MS, print: () => {} })
    const connection = open(join(dataDir, 'telemetry.db'))
    const names = connection.db.prepare('select lower(hex(fingerprint)) from fingerprint limit 20').pluck().all() as string[]
    const change = { service: null, version: null, isRelease: true, shippedAtMs: END_MS - DAY_MS / 2 }
    const window = { fromMinute: (END_MS - DAY_MS) / 60_000, toMinute: END_MS / 60_000 }
    const of = { projectNo, projectId: 'shop', window, rules: { rules: [], splits: {} }, change }
    const subjects = [
      ...names.map((name) => ({ fingerprints: [name], service: null })),
      { fingerprints: names.slice(0, 3), service: null },
      { fingerprints: null, service: null },
    ]
    const each = subjects.map((subject) => answer(connection, 'exposure', { ...of, ...subject }))
    expect(answer(connection, 'exposures', { ...of, subjects })).toEqual(each)
    expect(each.every(({ before, after }) => before.runs > 0 && after.runs > 0)).toBe(true)
    connection.db.close()
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 120_000)
