import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

const DAY_MS = 86_400_000
const START_MS = 1_800_000_000_000
const noise = (bytes: number) => randomBytes(bytes).toString('base64').slice(0, bytes)

let stored: StoredTelemetry

beforeEach(() => {
  stored = createStoredTelemetry()
})
afterEach(() => stored.end())

const day = (n: number) => stored.at(START_MS + n * DAY_MS)

describe('by age', () => {
  test('records go when their days are over, with all that is worth nothing without them; counts stay', () => {
    const projectNo = stored.project({ name: 'one' })
    day(0)
    stored.send(projectNo, { trace: 1, span: 1, isFailing: true, session: 's1' })
    stored.decide()
    day(3)
    stored.send(projectNo, { trace: 2, span: 2, isFailing: true, session: 's2' })
    stored.decide()
    day(13)
    expect(stored.retain()).toEqual({})
    day(16)
    expect(stored.retain()).toEqual({ segment: 1, failure: 1, session_trace: 1, decision: 1, session: 1 })
    expect(stored.trace(projectNo, 1)).toEqual([])
    expect(stored.trace(projectNo, 2)).toHaveLength(1)
    expect(stored.count('session', projectNo)).toBe(1)
    expect([stored.count('run_count', projectNo), stored.count('failure_count', projectNo)]).toEqual([2, 2])
    expect(stored.count('fingerprint', projectNo)).toBe(1)
  })

  test('counts, and the fingerprints that only they name, go after 180 days', () => {
    const projectNo = stored.project({ name: 'one' })
    day(0)
    stored.send(projectNo, { trace: 1, span: 1, isFailing: true })
    stored.decide()
    day(181)
    stored.retain()
    const tables = ['run_count', 'failure_count', 'ledger', 'fingerprint', 'failure', 'decision', 'session']
    expect(tables.map((table) => stored.count(table, projectNo))).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect(stored.count('accepted', projectNo)).toBe(1)
  })

  test("a project's own days win over the default", () => {
    const short = stored.project({ name: 'short' })
    const long = stored.project({ name: 'long' })
    stored.control.prepare('update project set retention_days = ? where project_no = ?').run(1, short)
    stored.control.prepare('update project set retention_days = ? where project_no = ?').run(30, long)
    day(0)
    stored.send(short, { trace: 1, span: 1 })
    stored.send(long, { trace: 1, span: 1 })
    day(2)
    expect(stored.retain()).toEqual({ segment: 1 })
    expect([stored.trace(short, 1).length, stored.trace(long, 1).length]).toEqual([0, 1])
    day(20)
    expect(stored.retain()).toEqual({})
  })

  test('without control.db nothing is removed: it alone says what may go', () => {
    const projectNo = stored.project({ name: 'one' })
    day(0)
    stored.send(projectNo, { trace: 1, span: 1 })
    day(100)
    const projects = { list: () => null, keyHashes: () => [], close() {} }
    expect(stored.retain({ projects })).toEqual({})
  })

  test('a session that is seen again after its removal gets a row again, in the writer and in the decider', () => {
    const projectNo = stored.project({ name: 'one' })
    day(0)
    stored.send(projectNo, { trace: 1, span: 1, isFailing: true, session: 's' })
    stored.decide()
    day(20)
    expect(stored.retain()).toMatchObject({ session: 1 })
    stored.send(projectNo, { trace: 2, span: 1, isFailing: true, session: 's' })
    stored.decide()
    const rows = stored.db.prepare('select session_id, failures from session_trace join session using (session_no)').all()
    expect(rows).toEqual([{ session_id: 's', failures: 1 }])
    expect(stored.db.prepare('select session_id from failure').pluck().all()).toEqual(['s'])
  })
})

describe('a deleted project', () => {
  test('leaves nothing behind but its neighbours, in one pass', () => {
    const gone = stored.project({ name: 'gone' })
    const stays = stored.project({ name: 'stays' })
    day(0)
    for (const projectNo of [stays, gone]) {
      stored.send(projectNo, { trace: 1, span: 1, isFailing: true, session: 's' })
      stored.decide()
      stored.send(projectNo, { trace: 2, span: 2, isFailing: true })
    }
    stored.control.prepare('update project set deleted_at_ms = 1 where project_no = ?').run(gone)
    stored.retain({}, false)
    const tables = stored.db
      .prepare("select m.name from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' and c.name = 'project_no'")
      .pluck()
      .all() as string[]
    expect(tables.length).toBeGreaterThan(12)
    expect(tables.filter((table) => stored.count(table, gone) > 0)).toEqual([])
    expect(stored.trace(stays, 1)).toHaveLength(1)
    expect(stored.retain()).toEqual({})
  })

  test('a segment id, a commit number and a time of arrival are never given twice', () => {
    const gone = stored.project({ name: 'gone' })
    const stays = stored.project({ name: 'stays' })
    day(5)
    const last = stored.send(gone, { trace: 1, span: 1 })
    const lastId = stored.db.prepare('select max(segment_id) from segment').pluck().get() as number
    stored.control.prepare('update project set deleted_at_ms = 1 where project_no = ?').run(gone)
    stored.retain()
    stored.restartWriter()
    day(0)
    expect(stored.send(stays, { trace: 1, span: 1 })).toBe(last + 1)
    const row = stored.db.prepare('select segment_id, received_min_ms from segment where project_no = ?').get(stays)
    expect(row).toEqual({ segment_id: lastId + 1, received_min_ms: START_MS + 5 * DAY_MS })
  })
})

describe('by bytes', () => {
  test('the oldest go first over all projects, no more than it takes', () => {
    const projects = [stored.project({ name: 'a' }), stored.project({ name: 'b' })]
    for (let n = 0; n < 20; n++) {
      stored.at(START_MS + n * 1000)
      stored.send(projects[n % 2]!, { trace: n + 1, span: 1, noise: noise(30_000) })
    }
    const bytes = stored.db.prepare('select sum(length(body) + length(trace_hashes)) from segment')
    const all = bytes.pluck().get() as number
    expect(stored.retain({ retentionMaxBytes: Math.ceil(all * 0.52) })).toMatchObject({ segment: 10 })
    expect(stored.db.prepare('select received_min_ms from segment where project_no > 0 order by 1').pluck().all()).toEqual(
      Array.from({ length: 10 }, (_, n) => START_MS + (n + 10) * 1000),
    )
    expect(stored.storedBytes.bytes()).toBe(bytes.get())
    expect(stored.retain({ retentionMaxBytes: Math.ceil(all * 0.52) })).toEqual({})
  })

  test('what went by bytes takes its failures and sessions along', () => {
    const projectNo = stored.project({ name: 'a' })
    for (let n = 0; n < 4; n++) {
      stored.at(START_MS + n * DAY_MS)
      stored.send(projectNo, { trace: n + 1, span: 1, isFailing: true, session: `s${n}`, noise: noise(30_000) })
      stored.decide()
    }
    stored.retain({ retentionMaxBytes: 60_000 })
    expect(stored.count('failure', projectNo)).toBe(stored.count('segment', projectNo))
    expect(stored.count('session_trace', projectNo)).toBe(stored.count('segment', projectNo))
  })
})

test('removing 60,000 rows takes no transaction of 50 ms', () => {
  const projectNo = stored.project({ name: 'a' })
  day(0)
  for (let n = 0; n < 60; n++)
    stored.send(
      projectNo,
      ...Array.from({ length: 1000 }, (_, k) => ({ trace: n * 1000 + k + 1, span: 1, session: `s${n}-${k}` })),
    )
  expect(stored.count('session_trace')).toBe(60_000)
  day(15)
  stored.store.takeLongestMs()
  expect(stored.retain()).toMatchObject({ session_trace: 60_000, segment: 60 })
  expect(stored.store.takeLongestMs()).toBeLessThan(50)
}, 60_000)
