import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createPainRollup, type PainRollupRow } from '@loopkit/shared/rollup/pain-rollup'
import { createRollUp } from './roll-up.ts'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const START_MS = 1_700_006_400_000

let stored: StoredTelemetry
let projectNo: number
beforeEach(() => {
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

function roll(): void {
  const { foldNext } = createRollUp(stored.store)
  while (foldNext());
}

const rows = (minutes: number) =>
  stored.db
    .prepare('select * from pain_rollup where project_no = ? and minutes = ? order by bucket')
    .all(projectNo, minutes) as PainRollupRow[]
const totals = (counts: string, minutes: number) =>
  stored.db
    .prepare('select sum(total) from count_rollup where project_no = ? and counts = ? and minutes = ?')
    .pluck()
    .get(projectNo, counts, minutes) as number | null

function fail(trace: number, atMs: number, session?: string): void {
  stored.at(atMs)
  stored.send(projectNo, { trace, span: 1, isFailing: true, session })
  stored.decide()
}

test('each failure goes into its hour and its day once, however often it is rolled up', () => {
  for (let n = 0; n < 30; n++) {
    fail(n, START_MS + n * 5 * MINUTE_MS, n % 2 === 0 ? 'visit' : undefined)
    if (n % 7 === 0) roll()
  }
  roll()
  roll()
  expect(rows(60).map(({ failures }) => failures)).toEqual([12, 12, 6])
  const whole = createPainRollup()
  for (const row of rows(60)) whole.join(row)
  expect(rows(1440).map(shown)).toEqual([shown(whole.toRow())])
})

function shown({ failures, ended, first_no, last_no, ...row }: PainRollupRow) {
  const bytes = [row.traces, row.sessions, row.users, row.releases, row.service_lists, row.samples]
  return [failures, ended, first_no, last_no, ...bytes.map((one) => one && Buffer.from(one).toString('hex'))]
}

test('a failure that a late span takes back is gone from its hour and its day', () => {
  stored.at(START_MS)
  for (const trace of [1, 2]) stored.send(projectNo, { trace, span: 1, isUnended: true })
  stored.decide()
  roll()
  expect(rows(60).map(({ failures }) => failures)).toEqual([2])
  stored.at(START_MS + HOUR_MS)
  stored.send(projectNo, { trace: 1, span: 1, isReplacing: true })
  stored.decide()
  expect(stored.count('stale_rollup')).toBe(1)
  roll()
  expect([rows(60), rows(1440)].map((all) => all.map(({ failures }) => failures))).toEqual([[1], [1]])
  expect(stored.count('stale_rollup')).toBe(0)
})

test('minutes of runs and failures go in once they are over', () => {
  fail(1, START_MS)
  roll()
  expect([totals('runs', 60), totals('failures', 60)]).toEqual([null, null])
  fail(2, START_MS + 2 * MINUTE_MS)
  fail(3, START_MS + HOUR_MS)
  roll()
  roll()
  expect([totals('runs', 60), totals('failures', 60), totals('runs', 1440)]).toEqual([2, 2, 2])
})

test('what a project leaves goes with it', () => {
  fail(1, START_MS)
  fail(2, START_MS + HOUR_MS)
  roll()
  stored.control.prepare('update project set deleted_at_ms = ? where project_no = ?').run(START_MS, projectNo)
  stored.at(START_MS + 2 * HOUR_MS)
  stored.retain()
  expect(['pain_rollup', 'count_rollup', 'stale_rollup'].map((table) => stored.count(table, projectNo))).toEqual([0, 0, 0])
})
