import type { SqliteDatabase } from '@loopkit/shared/database/open'

/**
 * Bytes of all segments, bodies and trace hashes, kept by adding what is new and taking off what goes: the table of a full
 * store is too large to be summed for every look.
 */
export interface StoredBytes {
  /** Adds the next new segments; false when all are counted. */
  countMore(): boolean
  bytes(): number
  /** The segment was removed. */
  noteRemoved(segmentId: number, bytes: number): void
}

/** Rows read in one go: each touches a page. */
const ROWS_PER_STEP = 500

export function createStoredBytes(db: SqliteDatabase): StoredBytes {
  const next = db.prepare(`
    select count(*) as rows, max(segment_id) as last, sum(bytes) as bytes
    from (select segment_id, length(body) + length(trace_hashes) as bytes from segment
          where segment_id > ? order by segment_id limit ${ROWS_PER_STEP})`)
  let counted = 0
  let total = 0
  return {
    countMore() {
      const { rows, last, bytes } = next.get(counted) as { rows: number; last: number | null; bytes: number | null }
      counted = last ?? counted
      total += bytes ?? 0
      return rows === ROWS_PER_STEP
    },
    bytes: () => total,
    noteRemoved(segmentId, bytes) {
      if (segmentId <= counted) total -= bytes
    },
  }
}
