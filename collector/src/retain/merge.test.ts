import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createTraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import { toHex } from '@loopkit/shared/otlp/ids'
import { decodeCommits } from '@loopkit/shared/segment/header'
import { STORED_DIFFERS } from '../admit/admission.ts'
import { createStoredSpans } from '../admit/stored-spans.ts'
import { spanIdOf, traceIdOf } from '../start/collector.fixture.ts'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

const START_MS = 1_800_000_000_000

let stored: StoredTelemetry
let projectNo: number

beforeEach(() => {
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

const seen = (trace: number) =>
  stored.trace(projectNo, trace).map(({ ctx, receivedMs, commit }) => [toHex(ctx.span.spanId), receivedMs, commit])
const allSeen = (traces: number) => Array.from({ length: traces }, (_, n) => seen(n + 1))

describe('joined segments', () => {
  test('every span is found as before, with its own arrival and commit', () => {
    const other = stored.project({ name: 'other' })
    for (let n = 0; n < 40; n++) {
      stored.at(START_MS + n * 1000)
      stored.send(projectNo, { trace: (n % 7) + 1, span: n + 1 }, { trace: (n % 5) + 1, span: n + 100 })
      if (n % 3 === 0) stored.send(other, { trace: 1, span: n + 1 })
    }
    const before = allSeen(7)
    const index = createTraceIndex(stored.db)
    index.find(projectNo, [1n])
    expect(stored.merge()).toBeGreaterThan(0)
    expect(stored.count('segment', projectNo)).toBeLessThan(16)
    expect(allSeen(7)).toEqual(before)
    expect(stored.trace(other, 1)).toHaveLength(14)
    const sum = stored.db.prepare('select sum(records) from segment where project_no = ?').pluck()
    expect(sum.get(projectNo)).toBe(80)
  })

  test('the rows say what the commits say', () => {
    for (let n = 0; n < 20; n++) {
      stored.at(START_MS + n * 1000)
      stored.send(projectNo, { trace: n + 1, span: 1 })
    }
    stored.merge()
    const row = stored.db
      .prepare('select * from segment where project_no = ? order by first_commit limit 1')
      .get(projectNo) as Record<string, number> & { commits: Buffer }
    const commits = decodeCommits(row.commits)
    expect(commits.map(({ number }) => number)).toEqual(
      Array.from({ length: row.last_commit! - row.first_commit! + 1 }, (_, n) => row.first_commit! + n),
    )
    expect([row.received_min_ms, row.received_max_ms]).toEqual([commits[0]!.receivedMs, commits.at(-1)!.receivedMs])
    expect(commits.every(({ records, accepted }) => records === 1 && accepted === 1)).toBe(true)
  })

  test('an unended span that came again ended is left out, and counts where it came', () => {
    stored.at(START_MS)
    const first = stored.send(projectNo, { trace: 1, span: 1, isUnended: true }, { trace: 1, span: 2 })
    stored.at(START_MS + 5000)
    const second = stored.send(projectNo, { trace: 1, span: 1, isReplacing: true }, { trace: 2, span: 3, isUnended: true })
    for (let n = 0; n < 20; n++) stored.send(projectNo, { trace: 3, span: n + 10 })
    const before = allSeen(3)
    stored.merge()
    expect(allSeen(3)).toEqual(before)
    expect(seen(1)).toContainEqual([spanIdOf(1), START_MS + 5000, second])
    const commits = stored.db
      .prepare('select commits from segment where project_no = ? order by first_commit')
      .pluck()
      .all(projectNo)
      .flatMap((header) => decodeCommits(header as Buffer))
    expect(commits.find(({ number }) => number === first)).toMatchObject({ records: 1, accepted: 2 })
    expect(commits.find(({ number }) => number === second)).toMatchObject({ records: 2, accepted: 1 })
  })

  test('many spans end in segments of some 4,500, and are not touched again', () => {
    stored.at(START_MS)
    for (let n = 0; n < 30; n++)
      stored.send(
        projectNo,
        ...Array.from({ length: 500 }, (_, k) => ({ trace: n * 100 + (k % 100) + 1, span: n * 1000 + k + 1 })),
      )
    expect(stored.merge()).toBeLessThan(8)
    const sizes = stored.db
      .prepare('select records from segment where project_no = ? order by first_commit')
      .pluck()
      .all(projectNo)
    expect(sizes).toEqual([4500, 4500, 4500, 500, 500, 500])
    expect(stored.merge()).toBe(0)
  })

  test('after hours the rest is joined too', () => {
    stored.at(START_MS)
    for (let n = 0; n < 5; n++) stored.send(projectNo, { trace: 1, span: n + 1 })
    expect(stored.merge()).toBe(0)
    stored.at(START_MS + 7 * 3_600_000)
    expect(stored.merge()).toBe(1)
    expect(stored.count('segment', projectNo)).toBe(1)
    expect(seen(1)).toHaveLength(5)
  })

  test('a segment that is damaged is told of and left alone', () => {
    stored.at(START_MS)
    for (let n = 0; n < 20; n++) stored.send(projectNo, { trace: 1, span: n + 1 })
    stored.store.db.prepare("update segment set body = x'00112233' where first_commit = 3").run()
    expect(stored.merge()).toBe(1)
    expect(stored.count('segment', projectNo)).toBe(20)
    expect(stored.merge()).toBe(0)
  })
})

test('the look-up for repeats answers the same from joined segments, while they are joined too', () => {
  const { db, hasher } = stored.reader
  const find = createStoredSpans(db, hasher)
  stored.at(START_MS)
  for (let n = 0; n < 20; n++) stored.send(projectNo, { trace: n + 1, span: 1, isUnended: n === 3 })
  const refs = Buffer.concat([1, 4, 20, 99].map((n) => Buffer.from(`${traceIdOf(n)}${spanIdOf(1)}00000000`, 'hex')))
  expect([...find(projectNo, refs)].map((answer) => answer & ~STORED_DIFFERS)).toEqual([2, 1, 2, 0])
  stored.merge()
  expect([...find(projectNo, refs)].map((answer) => answer & ~STORED_DIFFERS)).toEqual([2, 1, 2, 0])
})

test('a reader in the middle of a question goes on seeing what it saw', () => {
  stored.at(START_MS)
  for (let n = 0; n < 20; n++) stored.send(projectNo, { trace: 1, span: n + 1 })
  const { db, hasher } = stored.reader
  const index = createTraceIndex(db)
  db.exec('begin')
  const before = index.find(projectNo, [hasher(projectNo, Buffer.from(traceIdOf(1), 'hex'))])
  expect(stored.merge()).toBe(1)
  expect(seen(1)).toHaveLength(20)
  expect(index.find(projectNo, [hasher(projectNo, Buffer.from(traceIdOf(1), 'hex'))])).toEqual(before)
  db.exec('commit')
  expect(seen(1)).toHaveLength(20)
})

test('random commits, merges and removals: what is read is what was sent and is kept', () => {
  let seed = 11
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const expected = new Map<number, string[][]>()
  for (let n = 0; n < 300; n++) {
    stored.at(START_MS + n * 60_000)
    const sent = Array.from({ length: 1 + random(30) }, (_, k) => ({ trace: 1 + random(40), span: n * 100 + k + 1 }))
    const commit = stored.send(projectNo, ...sent)
    for (const { trace, span } of sent) expected.set(trace, [...(expected.get(trace) ?? []), [spanIdOf(span), String(commit)]])
    if (random(4) === 0) stored.merge()
  }
  stored.merge()
  for (const [trace, spans] of expected)
    expect(stored.trace(projectNo, trace).map(({ ctx, commit }) => [toHex(ctx.span.spanId), String(commit)])).toEqual(spans)
  expect(stored.count('segment', projectNo)).toBeLessThan(30)
})
