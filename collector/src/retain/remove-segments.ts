import type { RetainedStore } from './retained-store.ts'
import type { StoredBytes } from './stored-bytes.ts'

/** Removes segments in small transactions. */
export interface SegmentRemover {
  /**
   * At most one transaction of the project's oldest segments that arrived before this, no more of them than `bytes` need;
   * null when there is none.
   */
  removeOldest(projectNo: number, beforeMs: number, bytes?: number): RemovedSegments | null
}

export interface RemovedSegments {
  segments: number
  bytes: number
  /** Newest arrival that went. */
  receivedMaxMs: number
}

/** One transaction takes this much: freeing a page of a body means reading it. */
const SEGMENTS_PER_STEP = 16
const BYTES_PER_STEP = 2 * 1024 ** 2

interface OldRow {
  segment_id: number
  last_commit: number
  received_max_ms: number
  bytes: number
}

export function createSegmentRemover({ db, write }: RetainedStore, storedBytes: StoredBytes): SegmentRemover {
  const oldest = db.prepare(`
    select segment_id, last_commit, received_max_ms, length(body) + length(trace_hashes) as bytes from segment
    where project_no = ? and received_max_ms < ? order by received_max_ms limit ${SEGMENTS_PER_STEP}`)
  const remove = db.prepare('delete from segment where segment_id = ?')
  const guard = prepareGuard({ db })

  return {
    removeOldest(projectNo, beforeMs, wantedBytes = BYTES_PER_STEP) {
      const rows = firstOf(oldest.all(projectNo, beforeMs) as OldRow[], Math.min(wantedBytes, BYTES_PER_STEP))
      if (rows.length === 0) return null
      write(() => {
        for (const { segment_id } of rows) remove.run(segment_id)
        guard(rows)
      })
      for (const { segment_id, bytes } of rows) storedBytes.noteRemoved(segment_id, bytes)
      return {
        segments: rows.length,
        bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
        receivedMaxMs: rows.at(-1)!.received_max_ms,
      }
    },
  }
}

/** As many as it takes to reach so many bytes, or all. */
function firstOf(rows: OldRow[], bytesMin: number): OldRow[] {
  let bytes = 0
  const reached = rows.findIndex((row) => {
    bytes += row.bytes
    return bytes >= bytesMin
  })
  return reached < 0 ? rows : rows.slice(0, reached + 1)
}

/**
 * The row of project 0 takes over the highest id, commit number and time of arrival of what goes: readers remember segments
 * by id and cursors name commits, so neither may be given twice.
 */
function prepareGuard({ db }: Pick<RetainedStore, 'db'>): (rows: readonly OldRow[]) => void {
  const move = db.prepare(`
    update segment set segment_id = max(segment_id, ?), first_commit = max(first_commit, ?), last_commit = max(last_commit, ?),
      received_min_ms = max(received_min_ms, ?), received_max_ms = max(received_max_ms, ?)
    where project_no = 0`)
  const insert = db.prepare(`
    insert into segment (segment_id, project_no, kind, first_commit, last_commit, commits, records, received_min_ms,
                         received_max_ms, event_min_ms, event_max_ms, trace_hashes, body, body_bytes)
    values (?, 0, 'span', ?, ?, x'02', 0, ?, ?, 0, 0, x'', x'', 0)`)
  return (rows) => {
    const id = Math.max(...rows.map(({ segment_id }) => segment_id))
    const commit = Math.max(...rows.map(({ last_commit }) => last_commit))
    const receivedMs = Math.max(...rows.map(({ received_max_ms }) => received_max_ms))
    const values = [id, commit, commit, receivedMs, receivedMs]
    if (move.run(...values).changes === 0) insert.run(...values)
  }
}
