import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { type AttributeFilter, decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { decodeCommits } from '@loopkit/shared/segment/header'
import { unpackSegment } from '@loopkit/shared/segment/pack-segment'

export interface SegmentRow {
  body: Uint8Array
  body_bytes: number
  commits: Uint8Array
}

/** Every span of a segment in the order of its commits, each with its arrival. */
export function* spansOfSegment(row: SegmentRow, filter?: AttributeFilter): Generator<StoredSpan> {
  const commits = decodeCommits(row.commits)
  let at = 0
  let left = commits[0]?.records ?? 0
  for (const ctx of decodeTraces(unpackSegment(row.body, row.body_bytes), filter)) {
    while (left === 0 && at + 1 < commits.length) left = commits[++at]!.records
    left -= 1
    const { receivedMs, number } = commits[at]!
    yield { ctx, receivedMs, commit: number }
  }
}
