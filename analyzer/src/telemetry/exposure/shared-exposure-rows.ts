import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { boundsOf, type ExposureRows, type FailureRow, type RowScope, type RunRow, UNREAD, without } from './exposure-rows.ts'
import type { Judged } from './judged-failures.ts'

interface Counted extends FailureRow {
  fingerprint_no: number
  operation_no: number
  failures: number
}

/**
 * Rows for many pains, of which each table is read once: a change that names fifty pains reads as much as one that names a single one.
 * What it answers is what reading for each of them answers.
 */
export function createSharedRows(db: SqliteDatabase, scope: RowScope, judged: readonly Judged[]): ExposureRows {
  const runs = readRunsOnce(db, scope, judged)
  const wanted = fingerprintsOf(db, scope, judged)
  const counted = readCounted(db, scope, wanted)
  const unread = readUnread(db, scope, wanted)
  return {
    runs: ({ operations, services }) => ({
      ofJudged: inOrder([...operations].flatMap((operation) => runs.byOperation.get(operation) ?? [])),
      ofServices: services === null ? runs.all : services.flatMap((service) => runs.byService.get(service) ?? []),
    }),
    failures: (fingerprints) =>
      fingerprints === null
        ? without(addUp([...counted.values()].flat()), addUp([...unread.values()].flat()))
        : without(addUp(rowsOf(counted, fingerprints)), addUp(rowsOf(unread, fingerprints))),
  }
}

function readRunsOnce(db: SqliteDatabase, scope: RowScope, judged: readonly Judged[]) {
  const inScope = 'r.project_no = @projectNo and r.received_minute >= @from and r.received_minute < @to and r.event_minute < @to'
  const ofOperations = db.prepare(
    `select event_minute, release_no, operation_no, sum(runs) as spans, sum(weight) as runs from run_count r
     where ${inScope} and operation_no in (select value from json_each(@operations))
     group by event_minute, release_no, operation_no`,
  )
  const ofServices = db.prepare(
    `select o.service, event_minute, release_no, 0 as operation_no, sum(runs) as spans, sum(weight) as runs
     from run_count r join operation o using (operation_no) where ${inScope} group by o.service, event_minute, release_no`,
  )
  const operations = JSON.stringify([...new Set(judged.flatMap((one) => [...one.operations]))])
  const all = ofServices.all(boundsOf(scope)) as (RunRow & { service: string })[]
  return {
    byOperation: Map.groupBy(ofOperations.all({ ...boundsOf(scope), operations }) as RunRow[], (row) => row.operation_no),
    byService: Map.groupBy(all, ({ service }) => service),
    all,
  }
}

/** Those of the pains, of pains like them, and all of the operations that they fail in; null for all. */
function fingerprintsOf(db: SqliteDatabase, { projectNo }: RowScope, judged: readonly Judged[]): string | null {
  if (judged.some(({ fingerprints }) => fingerprints === null)) return null
  const operations = JSON.stringify([...new Set(judged.flatMap((one) => [...one.operations]))])
  const find = db.prepare(
    'select fingerprint_no from fingerprint where project_no = ? and operation_no in (select value from json_each(?))',
  )
  const ofOperations = find.pluck().all(projectNo, operations) as number[]
  const own = judged.flatMap(({ fingerprints, siblings }) => [...(fingerprints ?? []), ...(siblings ?? [])])
  return JSON.stringify([...new Set([...ofOperations, ...own])])
}

const OF_THESE = '(@fingerprints is null or fingerprint_no in (select value from json_each(@fingerprints)))'

function readCounted(db: SqliteDatabase, scope: RowScope, fingerprints: string | null): Map<number, Counted[]> {
  const rows = db.prepare(
    `select event_minute, release_no, operation_no, fingerprint_no, sum(failures) as failures, sum(weight) as weight,
       sum(weight_squared) as weight_squared
     from failure_count join fingerprint using (project_no, fingerprint_no)
     where project_no = @projectNo and decided_minute >= @from and event_minute < @to and ${OF_THESE}
     group by event_minute, release_no, operation_no, fingerprint_no`,
  )
  return Map.groupBy(rows.all({ ...boundsOf(scope), fingerprints }) as Counted[], (row) => row.fingerprint_no)
}

function readUnread(db: SqliteDatabase, scope: RowScope, fingerprints: string | null): Map<number, Counted[]> {
  const rows = db.prepare(
    `select ${UNREAD.columns}, fingerprint_no, 1 as failures from ${UNREAD.rows} and ${OF_THESE} group by 1, 2, 3, 6`,
  )
  return Map.groupBy(rows.all({ ...boundsOf(scope), fingerprints }) as Counted[], (row) => row.fingerprint_no)
}

function rowsOf(counted: ReadonlyMap<number, Counted[]>, fingerprints: readonly number[]): Counted[] {
  return [...new Set(fingerprints)].flatMap((no) => counted.get(no) ?? [])
}

/** Of several fingerprints together; what was taken back again does not count. */
function addUp(rows: readonly Counted[]): FailureRow[] {
  const sums = new Map<string, Counted>()
  for (const row of rows) {
    const key = `${row.event_minute} ${row.release_no} ${row.operation_no}`
    const sum = sums.get(key)
    if (!sum) sums.set(key, { ...row })
    else {
      sum.failures += row.failures
      sum.weight += row.weight
      sum.weight_squared += row.weight_squared
    }
  }
  const left = [...sums.values()].filter(({ failures }) => failures > 0)
  return inOrder(left).map(({ event_minute, release_no, operation_no, weight, weight_squared }) => ({
    ...{ event_minute, release_no, operation_no, weight, weight_squared },
  }))
}

function inOrder<R extends { event_minute: number; release_no: number; operation_no: number }>(rows: R[]): R[] {
  return rows.sort((a, b) => a.event_minute - b.event_minute || a.release_no - b.release_no || a.operation_no - b.operation_no)
}
