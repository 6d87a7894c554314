import type { RetainedStore } from './retained-store.ts'

/** Rows that a transaction takes, some 0.5 ms: this thread gives way to all others, also while it holds the lock. */
const ROWS_PER_STEP = 100

/** By how much less than other rollups sketches of hours are kept, in hours: readers look at eight whole days before today. */
const SKETCH_HOURS_SHORTER = (180 - 9) * 24

interface Rows {
  table: string
  /** What names a row. */
  key: string
  where: string
}

/** By project and time of arrival or decision: they go with the records. */
export const RECORD_ROWS: readonly Rows[] = [
  { table: 'session_trace', key: 'project_no, session_no, trace_hash', where: 'project_no = ? and received_ms < ?' },
  { table: 'trace_count', key: 'project_no, trace_hash, what', where: 'project_no = ? and received_ms < ?' },
  { table: 'open_trace', key: 'rowid', where: 'project_no = ? and last_received_ms < ?' },
]

/** By project and minute. */
export const ROLLUP_ROWS: readonly Rows[] = [
  {
    table: 'run_count',
    key: 'project_no, received_minute, event_minute, operation_no, release_no',
    where: 'project_no = ? and received_minute < ?',
  },
  {
    table: 'failure_count',
    key: 'project_no, decided_minute, event_minute, fingerprint_no, release_no',
    where: 'project_no = ? and decided_minute < ?',
  },
  { table: 'run_hour', key: 'project_no, event_hour, operation_no', where: 'project_no = ? and event_hour < ? / 60' },
  { table: 'failure_hour', key: 'project_no, event_hour, fingerprint_no', where: 'project_no = ? and event_hour < ? / 60' },
  ...[60, 1440].flatMap((minutes) => [
    {
      table: 'pain_rollup',
      key: 'project_no, minutes, bucket, fingerprint_no',
      where: `project_no = ? and minutes = ${minutes} and bucket < ? / ${minutes}`,
    },
    ...['runs', 'failures'].map((counts) => ({
      table: 'count_rollup',
      key: 'project_no, counts, minutes, bucket, what_no',
      where: `project_no = ? and counts = '${counts}' and minutes = ${minutes} and bucket < ? / ${minutes}`,
    })),
  ]),
  ...[60, 1440].map((minutes) => ({
    table: 'sketch_rollup',
    key: 'project_no, measure, operation_no, minutes, bucket',
    where: `project_no = ? and minutes = ${minutes} and last_received_hour < ? / 60${minutes === 60 ? ` + ${SKETCH_HOURS_SHORTER}` : ''}`,
  })),
  { table: 'ledger', key: 'project_no, minute, what', where: 'project_no = ? and minute < ?' },
]

/** Everything else that names a project; its segments are removed apart. */
export const PROJECT_ROWS: readonly Rows[] = [
  ...[...RECORD_ROWS, ...ROLLUP_ROWS].map(({ table, key }) => ({ table, key, where: 'project_no = ?' })),
  { table: 'sketch_delta', key: 'delta_no', where: 'project_no = ?' },
  { table: 'service_list', key: 'service_list_no', where: 'project_no = ?' },
  { table: 'session', key: 'session_no', where: 'project_no = ?' },
  { table: 'fingerprint', key: 'fingerprint_no', where: 'project_no = ?' },
  { table: 'operation', key: 'operation_no', where: 'project_no = ?' },
  { table: 'release', key: 'release_no', where: 'project_no = ?' },
  { table: 'change_marker', key: 'project_no, kind, service, subject, value', where: 'project_no = ?' },
  { table: 'accepted', key: 'project_no', where: 'project_no = ?' },
  { table: 'rolled_up', key: 'project_no, mark', where: 'project_no = ?' },
  { table: 'stale_rollup', key: 'project_no, fingerprint_no, hour', where: 'project_no = ?' },
  { table: 'hour_folded', key: 'project_no, counts', where: 'project_no = ?' },
  { table: 'merged', key: 'project_no, kind', where: 'project_no = ?' },
  { table: 'folded', key: 'project_no, kind', where: 'project_no = ?' },
]

/** How many rows one transaction removed, by table. */
export interface RemovedRows {
  table: string
  rows: number
}

/** Removes what the condition names, one transaction a turn. */
export function* removeRows({ statement, write }: RetainedStore, rows: Rows, values: readonly number[]): Generator<RemovedRows> {
  const { table, key, where } = rows
  const remove = statement(
    `delete from ${table} where (${key}) in (select ${key} from ${table} where ${where} limit ${ROWS_PER_STEP})`,
  )
  // Asked without the lock first, since mostly there is nothing.
  const any = statement(`select 1 from ${table} where ${where} limit 1`)
  while (any.get(...values)) yield { table, rows: write(() => remove.run(...values).changes) }
}

/** Removes these one by one, some in each transaction. `removeOne` answers how many rows went. */
export function* removeEach<T>(
  { write }: RetainedStore,
  table: string,
  all: readonly T[],
  removeOne: (row: T) => number,
): Generator<RemovedRows> {
  for (let from = 0; from < all.length; from += ROWS_PER_STEP) {
    const part = all.slice(from, from + ROWS_PER_STEP)
    yield { table, rows: write(() => part.reduce((sum, row) => sum + removeOne(row), 0)) }
  }
}
