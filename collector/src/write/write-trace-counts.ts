import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { FORGOTTEN } from '@loopkit/shared/database/telemetry/trace-counts'
import { parseTraceCount } from '../admit/trace-counts.ts'

/** Writes what became of spans that were not stored, by trace, within the commit's transaction. */
export interface TraceCountWriter {
  add(projectNo: number, key: string, count: number, receivedMs: number): void
  /** At the end of a transaction's counts: no project has more rows than it may. */
  trim(): void
  /** After a rollback. */
  forget(): void
}

/** Rows of one project, some 2 MB: a project over its quota has every trace refused. */
const ROWS_MAX = 20_000
/** Beyond it so many go at once, those that were not touched for longest. */
const TRIMMED_ROWS = 500

export function createTraceCountWriter(db: SqliteDatabase, rowsMax = ROWS_MAX, trimmedRows = TRIMMED_ROWS): TraceCountWriter {
  const update = db.prepare(
    'update trace_count set count = count + ?, received_ms = ? where project_no = ? and trace_hash = ? and what = ?',
  )
  const insert = db.prepare('insert into trace_count (count, received_ms, project_no, trace_hash, what) values (?, ?, ?, ?, ?)')
  const noteMissing = db.prepare(`
    insert into trace_count (project_no, trace_hash, what, count, received_ms) values (?, 0, '${FORGOTTEN}', 1, ?)
    on conflict do update set received_ms = max(received_ms, excluded.received_ms)`)
  const count = db.prepare('select count(*) from trace_count where project_no = ?').pluck()
  const lastToGo = db
    .prepare(`
      select received_ms from trace_count where project_no = ? and trace_hash <> 0
      order by received_ms limit 1 offset ?`)
    .pluck()
  const remove = db.prepare('delete from trace_count where project_no = ? and trace_hash <> 0 and received_ms <= ?')
  /** Rows by project; too many where others were removed by age. */
  const rows = new Map<number, number>()
  const full = new Set<number>()

  function trimOne(projectNo: number): void {
    const counted = count.get(projectNo) as number
    rows.set(projectNo, counted)
    if (counted <= rowsMax) return
    const untilMs = lastToGo.get(projectNo, trimmedRows - 1) as number | undefined
    if (untilMs === undefined) return
    rows.set(projectNo, counted - remove.run(projectNo, untilMs).changes)
    noteMissing.run(projectNo, untilMs)
  }

  return {
    add(projectNo, key, times, receivedMs) {
      const parsed = parseTraceCount(key)
      if (parsed === null) return void noteMissing.run(projectNo, receivedMs)
      const values = [times, receivedMs, projectNo, parsed.traceHash, parsed.what]
      if (update.run(...values).changes > 0) return
      insert.run(...values)
      const known = (rows.get(projectNo) ?? (count.get(projectNo) as number) - 1) + 1
      rows.set(projectNo, known)
      if (known > rowsMax) full.add(projectNo)
    },
    trim() {
      for (const projectNo of full) trimOne(projectNo)
      full.clear()
    },
    forget() {
      rows.clear()
      full.clear()
    },
  }
}
