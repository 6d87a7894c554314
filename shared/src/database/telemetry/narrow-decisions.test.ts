import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { migrate } from '../migrate.ts'
import { openDatabase, type SqliteDatabase } from '../open.ts'
import { telemetryMigrations } from './migrations.ts'
import { createTraceDecisions } from './trace-decisions.ts'

let folder: string
let db: SqliteDatabase

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-migration-'))
  db = openDatabase(join(folder, 'telemetry.db'), { role: 'writer' })
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true })
})

const HASHES = [5n, -7n, 9n, 11n]
const traceId = (n: number) => Buffer.alloc(16, n)

/** Two decisions of two projects; the first trace was decided again without a change, the third never failed. */
function fillOldSchema() {
  migrate(db, telemetryMigrations.slice(0, 2))
  db.exec(`insert into decision values (1, 1000, 3), (2, 2000, 2);
    insert into session values (1, 1, 'named', 1, 0), (2, 1, '${traceId(1).toString('hex')}', 0, 0)`)
  const decided = db.prepare('insert into decided_trace values (?, ?, ?, ?, ?)')
  decided.run(1, HASHES[0], traceId(0), 2, 2000)
  decided.run(1, HASHES[1], traceId(1), 1, 1000)
  decided.run(2, HASHES[2], traceId(2), 1, 1000)
  decided.run(2, HASHES[3], traceId(3), 2, 2000)
  const failure = db.prepare('insert into failure values (?, ?, ?, ?, ?, ?, ?, 0, 900, ?, ?, 1, ?)')
  failure.run(1, 2, 50, HASHES[3], traceId(3), 4, 0, 2000, 2, '["b"]')
  failure.run(2, 1, 40, HASHES[0], traceId(0), 1, 1, 1000, 1, '["a","b"]')
  failure.run(3, 1, 40, HASHES[1], traceId(1), 2, 2, 1000, 1, '["a","b"]')
  const part = db.prepare('insert into session_trace values (1, ?, ?, ?, ?, 1000, null, null, 1, 0, 0, 0, 0, null, 1, 0, 0)')
  part.run(1, HASHES[0], traceId(0), 700)
  part.run(2, HASHES[1], traceId(1), 800)
}

test('failures and decisions of files from before are read as they were', () => {
  fillOldSchema()
  migrate(db, telemetryMigrations)
  const rows = db.prepare(
    `select project_no, fingerprint_no, trace_hash, trace_id, span_id, session_id, event_ms, decided_ms, received_ms, weight, services
     from failure order by span_id`,
  )
  const common = { event_ms: 900, weight: 1 }
  const first = { ...common, project_no: 1, fingerprint_no: 40, decided_ms: 1000, services: '["a","b"]' }
  expect(rows.all()).toEqual([
    { ...first, trace_hash: 5, trace_id: traceId(0), span_id: 1, session_id: 'named', received_ms: 700 },
    { ...first, trace_hash: -7, trace_id: traceId(1), span_id: 2, session_id: traceId(1).toString('hex'), received_ms: 800 },
    {
      ...common,
      ...{ project_no: 2, fingerprint_no: 50, trace_hash: 11, trace_id: traceId(3), span_id: 4, decided_ms: 2000 },
      ...{ session_id: traceId(3).toString('hex'), received_ms: 2000, services: '["b"]' },
    },
  ])
  const decidedMs = db.prepare('select decided_ms from decision where decision_no = ?').pluck()
  const lastDecided = (projectNo: number, hash: bigint) =>
    decidedMs.get(createTraceDecisions(db)(projectNo, hash).at(-1) ?? null) ?? null
  const asked: [number, bigint][] = [
    [1, HASHES[0]!],
    [1, HASHES[1]!],
    [2, HASHES[2]!],
    [2, HASHES[3]!],
    [2, HASHES[0]!],
  ]
  expect(asked.map((one) => lastDecided(...one))).toEqual([2000, 1000, 1000, 2000, null])
})

test.each([
  ['failures of a window', 'select * from failure where project_no = 1 and decided_ms >= 5 and decided_ms < 9'],
  [
    'a pain’s failures',
    'select * from failure where project_no = 1 and fingerprint_no = 4 and decided_ms >= 5 and decided_ms < 9',
  ],
  ['all failures of a pain', 'select * from failure where project_no = 1 and fingerprint_no = 4'],
  ['failures of a decision', 'select * from failure where decision_no = 3 and trace_hash = 7'],
  ['sessions of a window', 'select * from session_trace where project_no = 1 and received_ms >= 5 and received_ms < 9'],
  [
    'a session',
    "select * from session_trace join session using (session_no) where session_trace.project_no = 1 and session.project_no = 1 and session_id = 'x'",
  ],
  ['sessions of a trace', 'select * from session_trace where project_no = 1 and trace_hash = 7'],
  ['a commit’s segment', "select * from segment where project_no = 1 and kind = 'span' and first_commit = 7"],
])('%s are found without a scan', (_what, sql) => {
  migrate(db, telemetryMigrations)
  const plan = (db.prepare(`explain query plan ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail)
  expect(plan.filter((line) => line.startsWith('SCAN'))).toEqual([])
  expect(plan.length).toBeGreaterThan(0)
})
