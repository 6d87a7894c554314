import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { SegmentDamage } from '@loopkit/shared/database/telemetry/segment-damage'
import { freeMemory } from '@loopkit/shared/otlp/free-memory'
import { decodeCommits } from '@loopkit/shared/segment/header'
import { SegmentError, unpackSegment } from '@loopkit/shared/segment/pack-segment'

/** Looks through all segments, one after the other, for bytes that are not what was written. */
export interface Scrubber {
  /** Opens the next one; its damage, or null. After the last it begins anew. */
  step(): SegmentDamage | null
}

interface Row extends Omit<SegmentDamage, 'why'> {
  commits: Uint8Array
  body: Uint8Array
  bodyBytes: number
}

export function createScrubber(db: SqliteDatabase): Scrubber {
  const next = db.prepare(`
    select segment_id as segmentId, project_no as projectNo, first_commit as firstCommit, last_commit as lastCommit,
      received_min_ms as receivedMinMs, received_max_ms as receivedMaxMs, commits, body, body_bytes as bodyBytes
    from segment where segment_id > ? and project_no > 0 order by segment_id limit 1`)
  let lastId = 0
  return {
    step() {
      const row = next.get(lastId) as Row | undefined
      lastId = row?.segmentId ?? 0
      if (!row) return null
      const { commits, body, bodyBytes, ...place } = row
      const why = damageOf(commits, body, bodyBytes)
      return why === null ? null : { ...place, why }
    },
  }
}

function damageOf(commits: Uint8Array, body: Uint8Array, bodyBytes: number): string | null {
  try {
    decodeCommits(commits)
    const unpacked = unpackSegment(body, bodyBytes)
    const { length } = unpacked
    freeMemory(unpacked)
    return length === bodyBytes ? null : `${length} bytes instead of ${bodyBytes}`
  } catch (error) {
    if (error instanceof SegmentError) return error.message
    throw error
  }
}
