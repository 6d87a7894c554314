import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { decodeCommits } from '@loopkit/shared/segment/header'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { PainDetail } from '../domain/pain-facts.ts'
import { type MinuteWindow, windowBoundsMs } from '../domain/window.ts'
import { type FailureScope, type FailureSelection, IN_WINDOW, selectFailures, windowParameters } from './failure-scope.ts'

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
export function countTelemetryRead(db: SqliteDatabase, projectNo: number, window: MinuteWindow, service: string | null): number {
  return service === null ? countRecords(db, projectNo, window) : countServiceRuns(db, projectNo, window, service)
}

function countRecords(db: SqliteDatabase, projectNo: number, window: MinuteWindow): number {
  const { fromMs, toMs } = windowBoundsMs(window)
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
  db: SqliteDatabase,
  projectNo: number,
  { fromMinute, toMinute }: MinuteWindow,
  events: FailureScope['events'] = null,
): RunCounts {
  const counted = `from run_count where project_no = @projectNo and received_minute >= @fromMinute and received_minute < @toMinute
     ${events === null ? '' : 'and event_minute >= @eventFrom and event_minute <= @eventTo'}`
  const bounds = events && {
    eventFrom: Math.floor(events.fromMs / MINUTE_MS),
    eventTo: Math.floor((events.toMs - 1) / MINUTE_MS),
  }
  const parameters = { projectNo, fromMinute, toMinute, ...bounds }
  const byMinute = db.prepare(`select event_minute, sum(runs) as runs ${counted} group by event_minute order by event_minute`)
  const middleMinute = middleOf(byMinute.all(parameters) as { event_minute: number; runs: number }[])
  const byOperation = db.prepare(
    `select operation_no, sum(runs) as runs, sum(case when event_minute >= @middleMinute then runs else 0 end) as later ${counted}
     group by operation_no`,
  )
  const rows = byOperation.all({ ...parameters, middleMinute }) as OperationRow[]
  return { middleMinute, byOperation: new Map(rows.map(({ operation_no, runs, later }) => [operation_no, { runs, later }])) }
}

interface OperationRow {
  operation_no: number
  runs: number
  later: number
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
export function countPains(db: SqliteDatabase, question: PainCountQuestion): CountedPain[] {
  const spread = db.prepare(`select fingerprint_no, ${SPREAD} from failure f where ${IN_WINDOW} group by fingerprint_no`)
  const parameters = windowParameters(question)
  const spreads = new Map((spread.all(parameters) as SpreadRow[]).map((row) => [row.fingerprint_no, row]))
  const counts = db.prepare(
    `select c.fingerprint_no, c.failures, c.later, c.first_minute, c.last_minute, f.fingerprint, f.parent_key, f.signal,
       f.service, f.operation, f.operation_no, f.first_seen_ms
     from (${question.events === null ? COUNTED : COUNTED_ONE_BY_ONE}) c
     join fingerprint f using (fingerprint_no) where @service is null or f.service = @service`,
  )
  const { middleMinute, service, window } = question
  const rows = counts.all({ ...parameters, ...window, middleMinute, service }) as CountRow[]
  return rows.map((row) => toPain(row, spreads.get(row.fingerprint_no)))
}

const SPREAD = `count(distinct trace_hash) as traces, count(distinct iif(session_no = 0, trace_id, session_no)) as sessions,
  min(event_ms) as first_ms, max(event_ms) as last_ms, sum(ended_trace) as ended`

const COUNTED = `
  select fingerprint_no, sum(failures) as failures, sum(case when event_minute >= @middleMinute then failures else 0 end) as later,
    min(event_minute) as first_minute, max(event_minute) as last_minute
  from failure_count where project_no = @projectNo and decided_minute >= @fromMinute and decided_minute < @toMinute
  group by fingerprint_no having sum(failures) > 0`

/** Between two event times that are no whole minutes. */
const COUNTED_ONE_BY_ONE = `
  select fingerprint_no, count(*) as failures, sum(event_ms >= @middleMinute * ${MINUTE_MS}) as later,
    min(event_ms) / ${MINUTE_MS} as first_minute, max(event_ms) / ${MINUTE_MS} as last_minute
  from failure f where ${IN_WINDOW} group by fingerprint_no`

/** Distinct traces and sessions of several fingerprints together: one session that met two of them is one. */
export function countSpread(
  db: SqliteDatabase,
  scope: FailureScope,
  selection: FailureSelection,
): Pick<CountedPain, 'traces' | 'sessions' | 'ended' | 'firstEventMs' | 'lastEventMs'> {
  const { sql, parameters } = selectFailures(scope, selection)
  const row = db.prepare(`select ${SPREAD} from decided_failure f where ${sql}`).get(parameters) as SpreadRow
  const { traces, sessions, first_ms, last_ms } = row
  // Of no failure there is no sum.
  return { traces, sessions, ended: row.ended ?? 0, firstEventMs: first_ms, lastEventMs: last_ms }
}

interface SpreadRow {
  fingerprint_no: number
  traces: number
  sessions: number
  first_ms: number
  last_ms: number
  ended: number | null
}

interface CountRow {
  fingerprint_no: number
  failures: number
  later: number
  first_minute: number
  last_minute: number
  fingerprint: Buffer
  parent_key: Buffer
  signal: SignalType
  service: string
  operation: string
  operation_no: number
  first_seen_ms: number
}

/** Where the failures themselves are no longer kept, their minutes stand in for them. */
function toPain(row: CountRow, spread: SpreadRow | undefined): CountedPain {
  return {
    fingerprintNo: row.fingerprint_no,
    fingerprint: row.fingerprint.toString('hex'),
    parentKey: row.parent_key.toString('hex'),
    signal: row.signal,
    service: row.service,
    operation: row.operation,
    operationNo: row.operation_no,
    failures: row.failures,
    laterFailures: Math.max(0, Math.min(row.failures, row.later)),
    traces: spread?.traces ?? 1,
    sessions: spread?.sessions ?? 1,
    ended: spread?.ended ?? 0,
    firstSeenMs: row.first_seen_ms,
    firstEventMs: spread?.first_ms ?? row.first_minute * MINUTE_MS,
    lastEventMs: spread?.last_ms ?? row.last_minute * MINUTE_MS,
    ...{ moved: [], left: [], splitFrom: null },
  }
}
