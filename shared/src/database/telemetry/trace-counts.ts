import type { SqliteDatabase } from '../open.ts'

/**
 * What became of those spans of a trace that were not stored, for its receipt: a row for each trace that had any and each
 * thing that happened. The row of no trace, FORGOTTEN, says until when counts of the project may be missing: rows are
 * bounded, and records from before this table have none.
 */
export const traceCounts = `
create table trace_count (
  project_no integer not null, trace_hash integer not null, what text not null, count integer not null, received_ms integer not null,
  primary key (project_no, trace_hash, what)) strict, without rowid;
create index trace_count_by_arrival on trace_count (project_no, received_ms);
insert into trace_count (project_no, trace_hash, what, count, received_ms)
  select project_no, 0, 'forgotten', 1, max(received_max_ms) from segment where project_no > 0 group by project_no;
`

export const FORGOTTEN = 'forgotten'

export interface TraceCounts {
  /** What happened, as the ledger names it → how often. */
  counts: Record<string, number>
  /** Counts from until then may be missing; null where none was ever left out. */
  missingUntilMs: number | null
}

/** `traceHash` as SQLite has it, signed. */
export function readTraceCounts(db: SqliteDatabase, projectNo: number, traceHash: bigint): TraceCounts {
  const rows = db
    .prepare('select what, count from trace_count where project_no = ? and trace_hash = ? and trace_hash <> 0')
    .all(projectNo, traceHash) as { what: string; count: number }[]
  const missing = db.prepare('select received_ms from trace_count where project_no = ? and trace_hash = 0').pluck()
  return {
    counts: Object.fromEntries(rows.map(({ what, count }) => [what, count])),
    missingUntilMs: (missing.get(projectNo) as number | undefined) ?? null,
  }
}
