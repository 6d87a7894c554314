import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { decodeCommits } from '@loopkit/shared/segment/header'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { PainDetail } from '../../domain/pain-facts.ts'
import { type MinuteWindow, windowBoundsMs } from '../../domain/window.ts'
import { memoryOf } from '../read-memory.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { divideByClosed } from './closed-buckets.ts'
import { type FailureScope, type FailureSelection, IN_WINDOW, selectFailures, windowParameters } from './failure-scope.ts'
import { countFrom, readWindowCounts, type WindowCount, type WindowCounts } from './rolled-counts.ts'
import { eventsOfParts, type PainParts, readPainParts, type Spread } from './rolled-failures.ts'

/** A decided pain of the window as the counts know it. */
export interface CountedPain {
  /** null: a part that a split made of failures of another one. */
  fingerprintNo: number | null
  fingerprint: string
  parentKey: string
  signal: SignalType
  service: string
  operation: string
  operationNo: number
  failures: number
  laterFailures: number
  traces: number
  sessions: number
  /** Failures whose error reached the root of its trace. */
  ended: number
  firstSeenMs: number
  firstEventMs: number
  lastEventMs: number
  /** Numbers of failures that a split put here or elsewhere. */
  moved: number[]
  left: number[]
  /** What its failures add up from; null where they were counted one by one. */
  parts: PainParts | null
  /** What names it where it is such a part. */
  splitFrom: { fingerprintNo: number; steps: PainDetail['steps'] } | null
}

export interface RunCounts {
  /** Event minute at which the second half of the window's traffic begins. */
  middleMinute: number
  byOperation: Map<number, { runs: number; later: number }>
}

const MINUTE_MS = 60_000

/** Records that arrived in the window, from the headers of the segments; of one service, from its run counts. */
export function countTelemetryRead(
  connection: TelemetryConnection,
  projectNo: number,
  window: MinuteWindow,
  service: string | null,
): number {
  return service === null
    ? countRecords(connection, projectNo, window)
    : countServiceRuns(connection.db, projectNo, window, service)
}

const HOUR_MS = 60 * MINUTE_MS
/** Records that arrived in hours and minutes that are over, as long as all of them are kept. */
const RECORDS = memoryOf<number>('records', 1)

function countRecords({ db, memory }: TelemetryConnection, projectNo: number, window: MinuteWindow): number {
  const { fromMs, toMs } = windowBoundsMs(window)
  const arrivals = db.prepare(
    'select min(received_max_ms) as oldest, max(received_max_ms) as newest from segment where project_no = ?',
  )
  const { oldest, newest } = arrivals.get(projectNo) as { oldest: number | null; newest: number | null }
  if (oldest === null || newest === null) return 0
  const hours = [Math.ceil(fromMs / HOUR_MS), Math.floor(toMs / HOUR_MS)] as const
  const kept = { from: Math.floor(oldest / HOUR_MS), to: Math.floor(newest / HOUR_MS) }
  const { closed } = hours[0] < hours[1] ? divideByClosed(hours, kept) : { closed: null }
  if (closed === null) return recordsReceived(db, projectNo, [fromMs, toMs])
  const [from, to] = closed
  const known = memory.take(RECORDS)
  const remembered = (range: readonly [number, number]): number => {
    const key = `${projectNo} ${range.join()}`
    const records = known.recall(key) ?? recordsReceived(db, projectNo, range)
    known.keep(key, records, 8)
    return records
  }
  // Nothing comes to the minutes before a closed hour any more either, where the oldest there is lies before them.
  const before = [fromMs, from * HOUR_MS] as const
  let records = oldest < fromMs ? remembered(before) : recordsReceived(db, projectNo, before)
  for (let hour = from; hour < to; hour++) records += remembered([hour * HOUR_MS, (hour + 1) * HOUR_MS])
  return records + recordsReceived(db, projectNo, [to * HOUR_MS, toMs])
}

function recordsReceived(db: SqliteDatabase, projectNo: number, [fromMs, toMs]: readonly [number, number]): number {
  const overlapping = db.prepare(
    `select records, received_min_ms, received_max_ms, commits from segment
     where project_no = ? and received_max_ms >= ? and received_min_ms < ?`,
  )
  let total = 0
  for (const row of overlapping.iterate(projectNo, fromMs, toMs) as Iterable<HeaderRow>) {
    const inside = row.received_min_ms >= fromMs && row.received_max_ms < toMs
    total += inside ? row.records : recordsBetween(row.commits, fromMs, toMs)
  }
  return total
}

interface HeaderRow {
  records: number
  received_min_ms: number
  received_max_ms: number
  commits: Uint8Array
}

function recordsBetween(commits: Uint8Array, fromMs: number, toMs: number): number {
  return decodeCommits(commits)
    .filter(({ receivedMs }) => receivedMs >= fromMs && receivedMs < toMs)
    .reduce((sum, { accepted }) => sum + accepted, 0)
}

function countServiceRuns(
  db: SqliteDatabase,
  projectNo: number,
  { fromMinute, toMinute }: MinuteWindow,
  service: string,
): number {
  const sum = db.prepare(
    `select coalesce(sum(runs), 0) from run_count where project_no = ? and received_minute >= ? and received_minute < ?
     and operation_no in (select operation_no from operation where project_no = ? and service = ?)`,
  )
  return sum.pluck().get(projectNo, fromMinute, toMinute, projectNo, service) as number
}

/**
 * Runs of every operation that arrived in the window, and where the second half of them begins by event time. Between two event
 * times, of the minutes that these touch.
 */
export function countRuns(
  connection: TelemetryConnection,
  projectNo: number,
  { fromMinute, toMinute }: MinuteWindow,
  events: FailureScope['events'] = null,
): RunCounts {
  const window = { fromMinute, toMinute }
  const { byWhat, all } =
    events === null
      ? readWindowCounts(connection, projectNo, 'runs', window)
      : countRunsBetween(connection.db, projectNo, window, events)
  const byMinute = new Map<number, number>()
  for (const { minutes, counts } of all)
    minutes.forEach((minute, at) => void byMinute.set(minute, (byMinute.get(minute) ?? 0) + counts[at]!))
  const middleMinute = middleOf([...byMinute].sort(([a], [b]) => a - b).map(([event_minute, runs]) => ({ event_minute, runs })))
  const byOperation = [...byWhat].map(
    ([operationNo, count]) => [operationNo, { runs: count.total, later: countFrom(count, middleMinute) }] as const,
  )
  return { middleMinute, byOperation: new Map(byOperation) }
}

/** Runs one by one, of the minutes that two event times touch. */
function countRunsBetween(
  db: SqliteDatabase,
  projectNo: number,
  { fromMinute, toMinute }: MinuteWindow,
  { fromMs, toMs }: NonNullable<FailureScope['events']>,
): WindowCounts {
  const rows = db.prepare(
    `select operation_no, event_minute, sum(runs) as runs from run_count where project_no = ? and received_minute >= ?
       and received_minute < ? and event_minute >= ? and event_minute <= ? group by operation_no, event_minute`,
  )
  const bounds = [Math.floor(fromMs / MINUTE_MS), Math.floor((toMs - 1) / MINUTE_MS)]
  const byWhat = new Map<number, WindowCount>()
  for (const { operation_no, event_minute, runs } of rows.all(projectNo, fromMinute, toMinute, ...bounds) as OperationRow[]) {
    const count = byWhat.get(operation_no) ?? { total: 0, bars: [] }
    byWhat.set(operation_no, count)
    count.total += runs
    count.bars.push({ minutes: [event_minute], counts: [runs] })
  }
  return { byWhat, all: [...byWhat.values()].flatMap(({ bars }) => bars) }
}

interface OperationRow {
  operation_no: number
  event_minute: number
  runs: number
}

/**
 * The minute that splits the runs most evenly, with runs on both sides where there are two minutes at all. A clock that is years
 * wrong on one span would move a midpoint between extremes; the middle of the runs it does not move.
 */
function middleOf(minutes: { event_minute: number; runs: number }[]): number {
  const half = minutes.reduce((sum, { runs }) => sum + runs, 0) / 2
  let middle = minutes[0]?.event_minute ?? 0
  let distance = Number.POSITIVE_INFINITY
  let before = 0
  for (const { event_minute, runs } of minutes) {
    if (before > 0 && Math.abs(before - half) < distance) {
      middle = event_minute
      distance = Math.abs(before - half)
    }
    before += runs
  }
  return middle
}

export interface PainCountQuestion extends FailureScope {
  middleMinute: number
  service: string | null
}

/** Every pain with decided failures in the window, with distinct traces and sessions. Retracted ones have no row. */
export function countPains(connection: TelemetryConnection, question: PainCountQuestion): CountedPain[] {
  const { db } = connection
  const found = question.events === null ? countRolled(connection, question) : countOneByOne(db, question)
  const fingerprints = db.prepare(
    `select fingerprint_no, fingerprint, parent_key, signal, service, operation, operation_no, first_seen_ms from fingerprint
     where project_no = @projectNo and (@service is null or service = @service) order by fingerprint_no`,
  )
  const rows = fingerprints.all({ projectNo: question.projectNo, service: question.service }) as FingerprintRow[]
  return rows.flatMap((row) => {
    const count = found.get(row.fingerprint_no)
    return count && count.failures > 0 ? toPain(row, count) : []
  })
}

interface PainCount extends Spread {
  failures: number
  later: number
  parts: PainParts | null
}

/** Where the failures themselves are no longer kept, their minutes stand in for them. */
function countRolled(
  connection: TelemetryConnection,
  { projectNo, window, middleMinute }: PainCountQuestion,
): Map<number, PainCount> {
  const parts = readPainParts(connection, projectNo, window)
  const counted = readWindowCounts(connection, projectNo, 'failures', window)
  return new Map(
    [...counted.byWhat].map(([fingerprintNo, count]) => {
      const own = parts.get(fingerprintNo) ?? null
      const spread = own ? boundsOfParts(own) : spreadOfMinutes(count)
      return [fingerprintNo, { failures: count.total, later: countFrom(count, middleMinute), parts: own, ...spread }]
    }),
  )
}

/** Distinct traces and sessions are counted where pains are joined, of all their parts together. */
function boundsOfParts(parts: PainParts): Spread {
  return { traces: 0, sessions: 0, ...eventsOfParts([parts]) }
}

function spreadOfMinutes({ bars }: WindowCount): Spread {
  const minutes = bars.flatMap((of) => of.minutes.filter((_, at) => of.counts[at]! > 0))
  const bounds = { firstEventMs: Math.min(...minutes) * MINUTE_MS, lastEventMs: Math.max(...minutes) * MINUTE_MS }
  return { traces: 1, sessions: 1, ended: 0, ...bounds }
}

/** Between two event times that are no whole minutes. */
function countOneByOne(db: SqliteDatabase, question: PainCountQuestion): Map<number, PainCount> {
  const rows = db.prepare(
    `select fingerprint_no, count(*) as failures, sum(event_ms >= @middleMinute * ${MINUTE_MS}) as later, ${SPREAD}
     from failure f where ${IN_WINDOW} group by fingerprint_no`,
  )
  const { middleMinute } = question
  const found = rows.all({ ...windowParameters(question), middleMinute }) as (SpreadRow & { failures: number; later: number })[]
  return new Map(
    found.map(({ fingerprint_no, failures, later, ...row }) => [
      fingerprint_no,
      { failures, later, parts: null, ...toSpread({ fingerprint_no, ...row }) },
    ]),
  )
}

const SPREAD = `count(distinct trace_hash) as traces, count(distinct iif(session_no = 0, trace_id, session_no)) as sessions,
  min(event_ms) as first_ms, max(event_ms) as last_ms, sum(ended_trace) as ended`

/** Distinct traces and sessions of several fingerprints together: one session that met two of them is one. */
export function countSpread(db: SqliteDatabase, scope: FailureScope, selection: FailureSelection): Spread {
  const { sql, parameters } = selectFailures(scope, selection)
  return toSpread(db.prepare(`select ${SPREAD} from decided_failure f where ${sql}`).get(parameters) as SpreadRow)
}

function toSpread({ traces, sessions, ended, first_ms, last_ms }: SpreadRow): Spread {
  // Of no failure there is no sum.
  return { traces, sessions, ended: ended ?? 0, firstEventMs: first_ms, lastEventMs: last_ms }
}

interface SpreadRow {
  fingerprint_no: number
  traces: number
  sessions: number
  first_ms: number
  last_ms: number
  ended: number | null
}

interface FingerprintRow {
  fingerprint_no: number
  fingerprint: Buffer
  parent_key: Buffer
  signal: SignalType
  service: string
  operation: string
  operation_no: number
  first_seen_ms: number
}

function toPain(row: FingerprintRow, { later, ...count }: PainCount): CountedPain {
  return {
    fingerprintNo: row.fingerprint_no,
    fingerprint: row.fingerprint.toString('hex'),
    parentKey: row.parent_key.toString('hex'),
    signal: row.signal,
    service: row.service,
    operation: row.operation,
    operationNo: row.operation_no,
    ...count,
    laterFailures: Math.max(0, Math.min(count.failures, later)),
    firstSeenMs: row.first_seen_ms,
    ...{ moved: [], left: [], splitFrom: null },
  }
}
