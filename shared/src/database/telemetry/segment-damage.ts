import { decodeCommits, type SegmentCommit } from '../../segment/header.ts'
import { SegmentError, unpackSegment } from '../../segment/pack-segment.ts'
import type { DataLoss } from '../guard/data-loss.ts'

/** A segment whose bytes are not what was written. */
export interface SegmentDamage {
  segmentId: number
  projectNo: number
  firstCommit: number
  lastCommit: number
  receivedMinMs: number
  receivedMaxMs: number
  why: string
}

export interface StoredSegment {
  body: Uint8Array
  body_bytes: number
  commits: Uint8Array
}

export interface OpenedSegment {
  body: Uint8Array
  commits: SegmentCommit[]
}

/** `unpackSegment`, or one that keeps memory for the next segment. */
export type UnpackSegment = typeof unpackSegment

/**
 * What a stored segment holds, or null where it is damaged: readers go on without it, since one flipped byte must not take all
 * else with it. Who tells a person is the collector, which looks through all segments in quiet times.
 */
export function openStoredSegment(row: StoredSegment, unpack: UnpackSegment = unpackSegment): OpenedSegment | null {
  try {
    return { body: unpack(row.body, row.body_bytes), commits: decodeCommits(row.commits) }
  } catch (error) {
    if (error instanceof SegmentError) return null
    throw error
  }
}

/** For the record of losses: its commits were stored and cannot be read. */
export function lossOfDamage({ firstCommit, lastCommit, receivedMinMs, receivedMaxMs }: SegmentDamage, nowMs: number): DataLoss {
  const [after, until, now] = [receivedMinMs, receivedMaxMs, nowMs].map((ms) => new Date(ms).toISOString())
  return {
    database: 'telemetry.db',
    from_commit: firstCommit,
    to_commit: lastCommit,
    after_at: after!,
    until_at: until!,
    detected_at: now!,
    acknowledged_at: null,
    acknowledged_by: null,
  }
}
