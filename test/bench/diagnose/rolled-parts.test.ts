import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readHourlyFailures, readHourlyRuns } from '../../../analyzer/src/telemetry/counts/hourly-counts.ts'
import { readWindowCounts } from '../../../analyzer/src/telemetry/counts/rolled-counts.ts'
import { readPainParts, samplesOfParts, spreadOfParts } from '../../../analyzer/src/telemetry/counts/rolled-failures.ts'
import { createReadMemory, type ReadMemory } from '../../../analyzer/src/telemetry/read-memory.ts'
import { createHourFolder } from '../../../collector/src/retain/fold-hours.ts'
import type { RetainedStore } from '../../../collector/src/retain/retained-store.ts'
import { createRollUp } from '../../../collector/src/retain/roll-up.ts'
import { createStoredTelemetry, type StoredTelemetry } from '../../../collector/src/retain/stored-telemetry.fixture.ts'

const MINUTE_MS = 60_000
/** Half past an hour, so that windows begin and end inside one. */
const MINUTE = 28_333_350
const OPERATIONS = 400
const FINGERPRINTS = 200
const FAILURES = 1_700
/** What a transaction may write: 150 rows of hours, as many of days, and how far it came; 500 of hours of events. */
const ROWS_MAX = { rollUp: 304, hours: 503 }

let stored: StoredTelemetry
let projectNo: number
let remembering: ReadMemory
beforeEach(() => {
  remembering = createReadMemory()
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
  stored.at((MINUTE - 1) * MINUTE_MS)
  stored.send(projectNo, { trace: 1, span: 1 })
  fill()
})
afterEach(() => stored.end())

/** A minute of arrival with more operations, and a decision with more failures, than a transaction takes. */
function fill(): void {
  const { db } = stored.store
  const run = db.prepare('insert into run_count values (?, ?, ?, ?, ?, ?, 1, 1)')
  const failure = db.prepare('insert into failure_count values (?, ?, ?, ?, ?, ?, 1, 1)')
  const decision = db.prepare('insert into decision values (?, ?, ?, 1, ?, ?)')
  const decided = db.prepare('insert into decided_failure values (?, ?, ?, ?, ?, 0, 0, ?, 0, 1, 0, null, 1)')
  stored.store.write(() => {
    for (let n = 0; n < OPERATIONS; n++) {
      for (const release of [0, 7])
        for (const ago of [1, 2]) run.run(projectNo, MINUTE, MINUTE - ago, 10 + n, release, 1 + (n % 3))
      run.run(projectNo, MINUTE + (n % 2), MINUTE - 70, 10 + n, 0, 1)
    }
    for (let n = 0; n < FINGERPRINTS; n++) for (const ago of [1, 2]) failure.run(projectNo, MINUTE, MINUTE - ago, 10 + n, 0, 1)
    decision.run(1, projectNo, MINUTE * MINUTE_MS + 500, 1, FAILURES)
    decision.run(2, projectNo, (MINUTE + 1) * MINUTE_MS, FAILURES + 1, FAILURES + 40)
    decision.run(3, projectNo, (MINUTE + 100) * MINUTE_MS, FAILURES + 41, FAILURES + 41)
    for (let no = 1; no <= FAILURES + 41; no++) {
      const hash = BigInt.asIntN(64, BigInt(no) * 0x9e3779b97f4a7c15n)
      const id = Buffer.alloc(16, 1)
      id.writeUInt32BE(Math.imul(no, 0x85ebca6b) >>> 0, 12)
      decided.run(no, 10 + (no % FINGERPRINTS), hash, id, BigInt(no), MINUTE * MINUTE_MS + no)
    }
    // Something of later, so that the minutes before are over.
    run.run(projectNo, MINUTE + 200, MINUTE + 200, 9, 0, 1)
    failure.run(projectNo, MINUTE + 200, MINUTE + 200, 9, 0, 1)
  })
}

/** How many rows the largest transaction wrote. */
function counting(store: RetainedStore) {
  const changes = store.db.prepare('select total_changes()').pluck()
  let rowsMax = 0
  const write: RetainedStore['write'] = (change) => {
    const before = changes.get() as number
    const result = store.write(change)
    rowsMax = Math.max(rowsMax, (changes.get() as number) - before)
    return result
  }
  return { store: { ...store, write }, rowsMax: () => rowsMax }
}

const HOUR = Math.floor(MINUTE / 60) * 60
const WINDOWS = [
  [MINUTE - 10, MINUTE],
  [MINUTE - 10, MINUTE + 1],
  [MINUTE, MINUTE + 1],
  [MINUTE + 1, MINUTE + 3],
  [HOUR, MINUTE],
  [HOUR, MINUTE + 1],
  [HOUR - 60, MINUTE + 2],
  [HOUR, HOUR + 60],
  [HOUR - 1440, HOUR + 1440],
] as const

/** All that is told by these rows, in one order; the same by a reader that remembers and by one that does not. */
function tell(): string {
  const told = toldWith(createReadMemory(0))
  expect(toldWith(remembering)).toBe(told)
  return told
}

function toldWith(memory: ReadMemory): string {
  const { db } = stored
  const reader = { db, memory }
  const byNumber = <T>(found: ReadonlyMap<number, T>) => [...found].sort(([a], [b]) => a - b)
  const windows = WINDOWS.map(([fromMinute, toMinute]) => {
    const window = { fromMinute, toMinute }
    const counts = (['runs', 'failures'] as const).map((what) =>
      byNumber(readWindowCounts(reader, projectNo, what, window).byWhat).map(([no, { total, bars }]) => {
        const counted = new Map<number, number>()
        for (const { minutes, counts: of } of bars)
          minutes.forEach((minute, at) => void counted.set(minute, (counted.get(minute) ?? 0) + of[at]!))
        return [no, total, byNumber(counted)]
      }),
    )
    const parts = byNumber(readPainParts(reader, projectNo, window)).map(([no, own]) => {
      const failures = own.rows.reduce((sum, row) => sum + row.failures, own.single.length)
      return [no, failures, spreadOfParts([own], []), samplesOfParts([own], 24)]
    })
    return [counts, parts]
  })
  const hours = { fromHour: HOUR / 60 - 5, toHour: HOUR / 60 + 5 }
  const numbers = [10, 11, 10 + FINGERPRINTS - 1, 10 + OPERATIONS - 1]
  const hourly = [readHourlyRuns, readHourlyFailures].map((read) =>
    byNumber(read(db, projectNo, hours, numbers)).map(([no, counts]) => [no, [...counts]]),
  )
  return JSON.stringify([windows, hourly])
}

test('wherever adding up stands, every answer is the same, and no transaction writes more than a few hundred rows', () => {
  const before = tell()
  const nowMs = () => (MINUTE + 300) * MINUTE_MS
  const rolled = counting(stored.store)
  const folded = counting(stored.store)
  let steps = 0
  // Made anew for each step: nothing but the file knows how far it came.
  while (createRollUp(rolled.store).foldNext()) {
    steps += 1
    expect(tell()).toBe(before)
  }
  expect(steps).toBeGreaterThan((OPERATIONS * 3) / 150)
  for (steps = 0; createHourFolder(folded.store, { nowMs }).foldNext(); steps++) expect(tell()).toBe(before)
  expect(steps).toBeGreaterThan((OPERATIONS * 3) / 500)
  expect([rolled.rowsMax() <= ROWS_MAX.rollUp, folded.rowsMax() <= ROWS_MAX.hours]).toEqual([true, true])
  expect(stored.db.prepare("select count(*) from rolled_up where mark like '%.%'").pluck().get()).toBe(0)
}, 120_000)

test('a failure that is taken back is gone from every answer at once, before what was added up is made anew', () => {
  const rollUp = () => {
    while (createRollUp(stored.store).foldNext());
  }
  rollUp()
  const before = tell()
  const hour = Math.floor(MINUTE / 60)
  stored.store.write(() => {
    const remove = stored.store.db.prepare('delete from decided_failure where failure_no = ?')
    const stale = stored.store.db.prepare('insert or ignore into stale_rollup values (?, ?, ?)')
    for (const no of [1, 5, 700, FAILURES, FAILURES + 3]) {
      remove.run(no)
      stale.run(projectNo, 10 + (no % FINGERPRINTS), hour)
    }
  })
  const pending = tell()
  expect(pending).not.toBe(before)
  rollUp()
  expect(stored.count('stale_rollup')).toBe(0)
  expect(tell()).toBe(pending)
  stored.store.db.exec('delete from rolled_up; delete from pain_rollup; delete from count_rollup')
  expect(toldWith(createReadMemory(0))).toBe(pending)
}, 120_000)
