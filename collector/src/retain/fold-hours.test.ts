import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createHourFolder } from './fold-hours.ts'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const START_MS = 1_700_000_000_000

let stored: StoredTelemetry
let projectNo: number
let nowMs: number
beforeEach(() => {
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

function at(ms: number): void {
  nowMs = ms
  stored.at(ms)
}

/** A failing and a healthy run. */
function send(n: number): void {
  stored.send(projectNo, { trace: n, span: 1, isFailing: true }, { trace: n + 100, span: 1 })
  stored.decide()
}

function fold(): number {
  const folder = createHourFolder(stored.store, { nowMs: () => nowMs })
  let turns = 0
  while (folder.foldNext()) turns++
  return turns
}

const hours = (table: string, what: string) =>
  stored.db.prepare(`select sum(${what}) from ${table} where project_no = ?`).pluck().get(projectNo) as number | null
const folded = () => [hours('run_hour', 'runs'), hours('failure_hour', 'failures')]

test('a minute goes into its hour once, when it is over', () => {
  at(START_MS)
  send(1)
  expect([fold(), folded()]).toEqual([0, [null, null]])
  at(START_MS + 3 * MINUTE_MS)
  send(2)
  fold()
  expect(folded()).toEqual([2, 1])
  expect([fold(), folded()]).toEqual([0, [2, 1]])
  at(START_MS + 9 * MINUTE_MS)
  fold()
  expect(folded()).toEqual([4, 2])
})

test('a correction takes back what it counted before', () => {
  at(START_MS)
  send(1)
  at(START_MS + 5 * MINUTE_MS)
  fold()
  const decided = Math.floor(nowMs / MINUTE_MS)
  stored.store.write(() =>
    stored.store.db.exec(
      `insert into failure_count select project_no, ${decided}, event_minute, fingerprint_no, release_no, -failures, -weight, -weight_squared
       from failure_count`,
    ),
  )
  at(START_MS + 9 * MINUTE_MS)
  fold()
  expect(folded()).toEqual([2, 0])
})

test('many minutes take several short turns', () => {
  const insert = stored.store.db.prepare('insert into run_count values (?, ?, ?, ?, 0, 1, 1, 1)')
  const minute = Math.floor(START_MS / MINUTE_MS)
  at(START_MS)
  stored.send(projectNo, { trace: 1, span: 1 })
  stored.store.write(() => {
    for (let n = 0; n < 3000; n++) insert.run(projectNo, minute + (n % 300), minute - (n % 90), 100 + n)
  })
  at(START_MS + 400 * MINUTE_MS)
  expect(fold()).toBeGreaterThan(5)
  expect(hours('run_hour', 'runs')).toBe(3001)
})

test('what a wrong clock says is in no hour, and hours go with the counts', () => {
  const minute = Math.floor(START_MS / MINUTE_MS)
  at(START_MS)
  stored.send(projectNo, { trace: 1, span: 1 })
  const insert = stored.store.db.prepare('insert into run_count values (?, ?, ?, 9, 0, 1, 1, 1)')
  stored.store.write(() => {
    for (const away of [-1_000_000, 2_000]) insert.run(projectNo, minute, minute + away)
  })
  at(START_MS + 5 * MINUTE_MS)
  fold()
  expect(hours('run_hour', 'runs')).toBe(1)
  at(START_MS + 300 * DAY_MS)
  stored.retain()
  expect(hours('run_hour', 'runs')).toBeNull()
})
