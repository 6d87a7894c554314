import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createTraceDecisions } from '@loopkit/shared/database/telemetry/trace-decisions'
import { eachStoredTrace } from '@loopkit/shared/database/telemetry/trace-index'
import { createTraceRuns } from '@loopkit/shared/database/telemetry/trace-runs'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import { STORED_DIFFERS } from '../admit/admission.ts'
import { createStoredSpans } from '../admit/stored-spans.ts'
import { spanIdOf, traceIdOf } from '../start/collector.fixture.ts'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

const DAY_MS = 86_400_000
const START_MS = 1_800_000_000_000

let stored: StoredTelemetry
let projectNo: number

beforeEach(() => {
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

/** One decision of so many failing traces. */
function decideTraces(first: number, count: number, project = projectNo) {
  stored.send(project, ...Array.from({ length: count }, (_, n) => ({ trace: first + n, span: 1, isFailing: true })))
  stored.decide()
}

const decisionsOf = (trace: number, project = projectNo) =>
  createTraceDecisions(stored.db)(project, stored.reader.hasher(project, fromHex(traceIdOf(trace))!))
const failures = () =>
  stored.db.prepare('select trace_hash, span_id, decision_no, decided_ms from failure order by 1, 2').safeIntegers().raw().all()

describe('decisions of a trace', () => {
  test('are found before and after folding, each trace by its own and in its own project', () => {
    const other = stored.project({ name: 'other' })
    for (let n = 0; n < 300; n++) {
      stored.at(START_MS + n)
      decideTraces(n * 10 + 1, 10, n % 3 === 0 ? other : projectNo)
      if (n % 7 === 0) stored.fold()
    }
    const found = () =>
      Array.from({ length: 300 }, (_, n) => [
        decisionsOf(n * 10 + 1, projectNo),
        decisionsOf(n * 10 + 10, other),
        decisionsOf(n * 10 + 11, projectNo),
      ])
    const before = found()
    expect(before.slice(0, 3)).toEqual([
      [[], [1], [2]],
      [[2], [], [3]],
      [[3], [], []],
    ])
    stored.fold()
    expect(found()).toEqual(before)
    expect(stored.count('trace_run')).toBeLessThan(20)
    expect(stored.count('unfolded_decision')).toBeLessThan(32)
  })

  test('are told again to a writer that starts: a late span opens the trace, and only the difference is written', () => {
    for (let n = 0; n < 40; n++) decideTraces(n + 1, 1)
    const before = failures()
    stored.fold()
    stored.restartWriter()
    stored.send(projectNo, { trace: 3, span: 2 })
    expect(stored.db.prepare('select decided_before from open_trace').pluck().all()).toEqual([1])
    stored.decide()
    expect(failures()).toEqual(before)
    expect(decisionsOf(3)).toEqual([3, 41])
    stored.send(projectNo, { trace: 3, span: 3, isFailing: true })
    stored.decide()
    expect(failures()).toHaveLength(41)
    expect(stored.db.prepare('select sum(failures) from failure_count').pluck().get()).toBe(41)
  })

  test('what a process left half folded is taken away, and folded again', () => {
    for (let n = 0; n < 20; n++) decideTraces(n + 1, 1)
    stored.fold()
    stored.store.db
      .prepare(
        "insert into trace_run (project_no, kind, state, members, last_no, first_page, pages) values (1, 'decision', 0, x'', 0, 900, 2)",
      )
      .run()
    stored.store.db.prepare("insert into trace_page values (900, x'')").run()
    stored.restartFolder()
    stored.fold()
    expect(stored.db.prepare('select count(*) from trace_run where state <> 1').pluck().get()).toBe(0)
    expect(stored.db.prepare('select count(*) from trace_page where page_no >= 900').pluck().get()).toBe(0)
    expect(decisionsOf(7)).toEqual([7])
  })

  test('go with their records, and take their runs along', () => {
    stored.at(START_MS)
    for (let n = 0; n < 20; n++) decideTraces(n + 1, 1)
    stored.fold()
    expect(stored.count('trace_page')).toBe(1)
    stored.at(START_MS + 20 * DAY_MS)
    decideTraces(100, 1)
    stored.retain()
    stored.fold()
    expect([stored.count('trace_run'), stored.count('trace_page'), stored.count('decision')]).toEqual([0, 0, 1])
    expect(decisionsOf(7)).toEqual([])
    expect(decisionsOf(100)).toEqual([21])
  })
})

describe('segments of a trace', () => {
  const HOURS_MS = 3_600_000
  const spansOf = (trace: number) => stored.trace(projectNo, trace).map(({ ctx }) => toHex(ctx.span.spanId))
  const refsOf = (...traces: number[]) =>
    Buffer.concat(traces.map((n) => Buffer.from(`${traceIdOf(n)}${spanIdOf(n)}00000000`, 'hex')))

  /** Each commit has a trace of its own and a span of trace 1. */
  function sendOverDays(commits: number) {
    for (let n = 0; n < commits; n++) {
      stored.at(START_MS + n * HOURS_MS)
      stored.send(projectNo, { trace: n + 10, span: n + 10 }, { trace: 1, span: n + 1000 })
    }
    stored.at(START_MS + (commits + 100) * HOURS_MS)
  }

  test('are found in the runs once they stay as they are; their rows then name no traces', () => {
    sendOverDays(400)
    const before = [1, 10, 77, 409].map(spansOf)
    expect(before.map(({ length }) => length)).toEqual([400, 1, 1, 1])
    stored.merge()
    stored.fold()
    expect([1, 10, 77, 409].map(spansOf)).toEqual(before)
    // One that stays alone is not written again to take them out.
    expect(stored.db.prepare('select count(*) from segment where length(trace_hashes) > 0').pluck().get()).toBeLessThan(2)
    expect(stored.db.prepare('select next_commit from folded').pluck().all()).toEqual([401])
    expect(stored.count('trace_run')).toBeLessThan(20)
    const asked: [number, number][] = []
    eachStoredTrace(stored.db, (low, high) => asked.push([low, high]))
    const words = new Uint32Array(BigUint64Array.of(stored.reader.hasher(projectNo, fromHex(traceIdOf(77))!)).buffer)
    expect(asked).toContainEqual([(words[0]! & 0xff000000) >>> 0, words[1]])
  })

  test('which memory has forgotten, are asked for repeats as before', () => {
    sendOverDays(40)
    const find = createStoredSpans(stored.db, stored.reader.hasher)
    const refs = refsOf(10, 30, 49, 50)
    const before = [...find(projectNo, refs)]
    stored.merge()
    stored.fold()
    expect([...find(projectNo, refs)]).toEqual(before)
    expect(before.map((answer) => answer & ~STORED_DIFFERS)).toEqual([2, 2, 2, 0])
  })

  test('of a file from before there were runs are folded later, and found all the while', () => {
    sendOverDays(50)
    stored.store.db.prepare("insert into merged values (?, 'span', 41)").run(projectNo)
    const before = [1, 10, 59].map(spansOf)
    expect(stored.fold()).toBeGreaterThan(2)
    expect([1, 10, 59].map(spansOf)).toEqual(before)
    stored.merge()
    stored.fold()
    expect([1, 10, 59].map(spansOf)).toEqual(before)
  })

  test('take their runs along when they go', () => {
    sendOverDays(40)
    stored.merge()
    stored.fold()
    stored.at(START_MS + 100 * DAY_MS)
    stored.send(projectNo, { trace: 9, span: 9 })
    stored.retain()
    stored.fold()
    expect([stored.count('trace_run'), stored.count('trace_page')]).toEqual([0, 0])
    expect([spansOf(10), spansOf(9).length]).toEqual([[], 1])
  })
})

test('a trace is found in large runs through their filters as through their pages', () => {
  for (let n = 0; n < 300; n++) decideTraces(n * 3 + 1, 3)
  while (stored.fold() > 0);
  const hashes = Array.from({ length: 1200 }, (_, n) => stored.reader.hasher(projectNo, fromHex(traceIdOf(n + 1))!))
  const filtered = createTraceRuns(stored.db, { filterMaxBytes: 1_000_000 })
  const plain = createTraceRuns(stored.db)
  const found = plain.find(projectNo, 'decision', hashes)
  expect(filtered.find(projectNo, 'decision', hashes)).toEqual(found)
  expect([...found.values()].flat()).toHaveLength(900)
})

test('a number of a decision or of a failure is never given twice, though all that had one are gone', () => {
  stored.at(START_MS)
  decideTraces(1, 3)
  stored.at(START_MS + 20 * DAY_MS)
  stored.retain()
  expect(stored.count('failure')).toBe(0)
  decideTraces(10, 1)
  expect(stored.db.prepare('select decision_no, failure_no from failure').get()).toEqual({ decision_no: 2, failure_no: 4 })
})
