import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createStoredSpans } from '../admit/stored-spans.ts'
import { spanIdOf, traceIdOf } from '../start/collector.fixture.ts'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

const START_MS = 1_800_000_000_000
const DAY_MS = 86_400_000

let stored: StoredTelemetry
let projectNo: number

beforeEach(() => {
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

const seen = (trace: number) =>
  stored.trace(projectNo, trace).map(({ ctx: { span }, receivedMs }) => [span.log ? span.status.message : span.name, receivedMs])

function sendForty(): void {
  for (let n = 0; n < 40; n++) {
    stored.at(START_MS + n * 1000)
    stored.send(projectNo, { trace: (n % 4) + 1, span: n + 1 })
    stored.sendLogs(projectNo, { trace: (n % 4) + 1, body: `failed ${n}` }, { body: `alone ${n}` })
  }
}

test('joined and folded, log records are found with their traces as before, apart from segments of spans', () => {
  sendForty()
  const before = [1, 2, 3, 4].map(seen)
  expect(before.map((records) => records.length)).toEqual([20, 20, 20, 20])
  expect(stored.merge()).toBeGreaterThan(1)
  stored.fold()
  expect(stored.count("segment where kind = 'log'")).toBeLessThan(20)
  expect([1, 2, 3, 4].map(seen)).toEqual(before)
  expect(stored.db.prepare("select sum(records) from segment where kind = 'log'").pluck().get()).toBe(80)
})

test('a record that comes again is known by the store, joined or not', () => {
  sendForty()
  const ids = stored.trace(projectNo, 1).flatMap(({ ctx: { span } }) => (span.log ? [[...span.traceId, ...span.spanId]] : []))
  const anyContent = [0, 0, 0, 0]
  const unknown = [...Buffer.from(traceIdOf(1) + spanIdOf(999), 'hex')]
  const refs = Uint8Array.from([...ids, unknown].flatMap((id) => [...id, ...anyContent]))
  const find = createStoredSpans(stored.reader.db, stored.reader.hasher)
  const isKnown = () => [...find(projectNo, refs)].map((answer) => answer > 0)
  const expected = [...ids.map(() => true), false]
  expect(isKnown()).toEqual(expected)
  stored.merge()
  stored.fold()
  expect(isKnown()).toEqual(expected)
})

test('they go when they are as old as spans that go', () => {
  sendForty()
  stored.at(START_MS + 15 * DAY_MS)
  stored.sendLogs(projectNo, { body: 'new' })
  stored.retain()
  expect(stored.count('segment', projectNo)).toBe(1)
  expect(seen(1)).toEqual([])
})
