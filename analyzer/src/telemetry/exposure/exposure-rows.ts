import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { AWAITS_END } from '@loopkit/shared/database/telemetry/awaits-end'
import type { MinuteWindow } from '../../domain/window.ts'

/** Runs of one event minute, release and operation. */
export interface RunRow {
  event_minute: number
  release_no: number
  operation_no: number
  /** Records as they came, and what they stand for. */
  spans: number
  runs: number
}

/** Failures of one event minute, release and operation. */
export interface FailureRow {
  event_minute: number
  release_no: number
  /** null where it is that of the pain, which has but one. */
  operation_no: number | null
  weight: number
  weight_squared: number
}

export interface RowScope {
  projectNo: number
  window: MinuteWindow
  /** First minute of arrival that is not read. */
  settledMinute: number
}

/** The rows of one scope, as they are asked for one pain. */
export interface ExposureRows {
  /** Runs of the judged operations, and of anything in their services. */
  runs(judged: { operations: ReadonlySet<number>; services: readonly string[] | null }): {
    ofJudged: RunRow[]
    ofServices: RunRow[]
  }
  /** Of these fingerprints, or of all. */
  failures(fingerprints: readonly number[] | null): FailureRow[]
}

const MINUTE_MS = 60_000

/** A minute of arrival is read only once every trace that arrived in it is decided (contract §6). */
export function readSettledMinute(db: SqliteDatabase, projectNo: number, { toMinute }: MinuteWindow): number {
  const oldest = db.prepare(`select min(first_received_ms) from open_trace where project_no = ? and not (${AWAITS_END})`).pluck()
  const openMs = oldest.get(projectNo) as number | null
  return openMs === null ? toMinute : Math.min(toMinute, Math.floor(openMs / MINUTE_MS))
}

/** Reads each time what is asked for. */
export function createRows(db: SqliteDatabase, scope: RowScope): ExposureRows {
  return {
    runs: ({ operations, services }) => {
      const ofServices = readRuns(db, scope, services)
      return { ofServices, ofJudged: ofServices.filter(({ operation_no }) => operations.has(operation_no)) }
    },
    failures: (fingerprints) => readFailures(db, scope, fingerprints),
  }
}

/** Runs of these services, or of all. */
function readRuns(db: SqliteDatabase, scope: RowScope, services: readonly string[] | null): RunRow[] {
  const rows = db.prepare(
    `select event_minute, release_no, operation_no, sum(runs) as spans, sum(weight) as runs from run_count
     where project_no = @projectNo and received_minute >= @from and received_minute < @to and event_minute < @to
       and (@services is null or operation_no in (select operation_no from operation where project_no = @projectNo
            and service in (select value from json_each(@services))))
     group by event_minute, release_no, operation_no`,
  )
  return rows.all({ ...boundsOf(scope), services: services && JSON.stringify(services) }) as RunRow[]
}

/** SQL: failures that are decided already of traces whose runs are not read yet. */
export const UNREAD = {
  columns: `event_ms / ${MINUTE_MS} as event_minute, release_no, operation_no, sum(weight) as weight,
       sum(weight * weight) as weight_squared`,
  rows: `failure join fingerprint using (project_no, fingerprint_no) where project_no = @projectNo and decided_ms >= @toMs
       and received_ms >= @toMs and event_ms < @toMs and decided_ms >= @fromMs`,
}

/**
 * Failures of these fingerprints, or of all. Counts are kept by decision, so those of traces whose runs are not read yet are taken out
 * again: a queue that is flushed while something is still undecided would else fail without having run.
 */
function readFailures(db: SqliteDatabase, scope: RowScope, fingerprints: readonly number[] | null): FailureRow[] {
  const parameters = {
    ...boundsOf(scope),
    all: fingerprints === null ? 1 : 0,
    fingerprints: JSON.stringify(fingerprints ?? []),
  }
  const ofThese = '(@all or fingerprint_no in (select value from json_each(@fingerprints)))'
  const counted = db.prepare(
    `select event_minute, release_no, operation_no, sum(weight) as weight, sum(weight_squared) as weight_squared
     from failure_count join fingerprint using (project_no, fingerprint_no)
     where project_no = @projectNo and decided_minute >= @from and event_minute < @to and ${ofThese}
     group by event_minute, release_no, operation_no having sum(failures) > 0`,
  )
  const unread = db.prepare(`select ${UNREAD.columns} from ${UNREAD.rows} and ${ofThese} group by 1, 2, 3`)
  return without(counted.all(parameters) as FailureRow[], unread.all(parameters) as FailureRow[])
}

export function without(rows: FailureRow[], taken: readonly FailureRow[]): FailureRow[] {
  if (taken.length === 0) return rows
  const keyOf = (row: FailureRow) => `${row.event_minute} ${row.release_no} ${row.operation_no}`
  const of = new Map(taken.map((row) => [keyOf(row), row]))
  return rows.flatMap((row) => {
    const less = of.get(keyOf(row))
    if (!less) return row
    const weight = row.weight - less.weight
    return weight > 0 ? { ...row, weight, weight_squared: Math.max(0, row.weight_squared - less.weight_squared) } : []
  })
}

export function boundsOf({ projectNo, window, settledMinute }: RowScope) {
  return {
    projectNo,
    from: window.fromMinute,
    to: settledMinute,
    fromMs: window.fromMinute * MINUTE_MS,
    toMs: settledMinute * MINUTE_MS,
  }
}
