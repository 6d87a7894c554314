import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { decodeCommits } from '@loopkit/shared/segment/header'
import { unpackSegment } from '@loopkit/shared/segment/pack-segment'

interface SegmentRow {
  segment_id: number
  project_no: number
  first_commit: number
  last_commit: number
  commits: Uint8Array
  trace_hashes: Uint8Array
  body: Uint8Array
  body_bytes: number
}

/** Told one by one up to so many. */
const DAMAGES_MAX = 100
const HASH_BYTES = 8

/** Opens every segment: its body's checksum, its list of commits, its trace hashes. Answers a line for each that is damaged. */
export function checkSegments(db: SqliteDatabase): string[] {
  const damages: string[] = []
  const rows = db.prepare(`
    select segment_id, project_no, first_commit, last_commit, commits, trace_hashes, body, body_bytes
    from segment where project_no > 0 order by segment_id`)
  for (const row of rows.iterate() as IterableIterator<SegmentRow>) {
    const why = damageOf(row)
    if (why === null) continue
    const { segment_id, project_no, first_commit, last_commit } = row
    damages.push(`segment ${segment_id} of project ${project_no}, commits ${first_commit} to ${last_commit}: ${why}`)
    if (damages.length === DAMAGES_MAX) break
  }
  return damages
}

function damageOf({ first_commit, last_commit, commits, trace_hashes, body, body_bytes }: SegmentRow): string | null {
  try {
    const { length } = unpackSegment(body, body_bytes)
    if (length !== body_bytes) return `${length} bytes instead of ${body_bytes}`
    const header = decodeCommits(commits)
    if (header[0]?.number !== first_commit || header.at(-1)?.number !== last_commit) return 'its list of commits is not its own'
    return isSorted(trace_hashes) ? null : 'its trace hashes are out of order'
  } catch (error) {
    return (error as Error).message
  }
}

function isSorted(packed: Uint8Array): boolean {
  if (packed.length % HASH_BYTES !== 0) return false
  const hashes = new BigUint64Array(Uint8Array.from(packed).buffer)
  return hashes.every((hash, at) => at === 0 || hashes[at - 1]! < hash)
}
