import type { SqliteDatabase } from '../open.ts'
import type { RecordKind } from './record-codecs.ts'
import { createTraceRuns, eachFoldedTrace, type TraceRunsOptions } from './trace-runs.ts'

/** Bytes of trace hashes of segments that are not folded yet, kept in memory; what does not fit is read from the file again. */
const CACHE_MAX_BYTES = 16 * 1024 ** 2
const HALF_RANGE = 2 ** 32

/** Finds the segments that hold records of given traces. */
export interface TraceIndex {
  /**
   * Segments of spans in order of arrival, then those of log records, each with those of `hashes` (unsigned) that it holds.
   * Sees every commit that the connection's current snapshot sees.
   */
  find(projectNo: number, hashes: readonly bigint[]): FoundSegment[]
}

export interface FoundSegment {
  segmentId: number
  kind: RecordKind
  hashes: bigint[]
}

const KINDS: readonly RecordKind[] = ['span', 'log']

/** Sorted hashes of one segment as pairs of low and high word. */
type Packed = Uint32Array

export interface TraceIndexOptions extends TraceRunsOptions {
  cacheMaxBytes?: number
}

/**
 * Asks the folded runs, a page of each, and then the segments that are not folded yet, whose hashes it remembers: segments
 * are written once, so their hashes never change, and a merged segment has a new id.
 */
export function createTraceIndex(db: SqliteDatabase, options: TraceIndexOptions = {}): TraceIndex {
  const { cacheMaxBytes = CACHE_MAX_BYTES } = options
  const runs = createTraceRuns(db, options)
  const nextUnfolded = db.prepare('select next_commit from folded where project_no = ? and kind = ?').pluck()
  const byCommit = db.prepare('select segment_id from segment where project_no = ? and kind = ? and first_commit = ?').pluck()
  const list = db
    .prepare('select segment_id from segment where project_no = ? and kind = ? and first_commit >= ? order by first_commit')
    .pluck()
  const load = db.prepare('select trace_hashes from segment where segment_id = ?').pluck()
  const cache = new Map<number, Packed>()
  let cachedBytes = 0

  function hashesOf(segmentId: number): Packed {
    const known = cache.get(segmentId)
    if (known) return known
    const blob = (load.get(segmentId) as Uint8Array | undefined) ?? new Uint8Array(0)
    const packed = new Uint32Array(new Uint8Array(blob).buffer)
    cache.set(segmentId, packed)
    cachedBytes += packed.byteLength
    for (const [oldest, words] of cache) {
      if (cachedBytes <= cacheMaxBytes) break
      cache.delete(oldest)
      cachedBytes -= words.byteLength
    }
    return packed
  }

  function findFolded(projectNo: number, kind: RecordKind, hashes: readonly bigint[]): FoundSegment[] {
    const found = [...runs.find(projectNo, kind, hashes)].sort(([a], [b]) => a - b)
    return found.flatMap(([commit, held]) => {
      // Retention takes segments before their runs.
      const segmentId = byCommit.get(projectNo, kind, commit) as number | undefined
      return segmentId === undefined ? [] : [{ segmentId, kind, hashes: held }]
    })
  }

  return {
    find(projectNo, hashes) {
      const wanted = hashes.map((hash) => ({ hash, low: Number(hash & 0xffffffffn), high: Number(hash >> 32n) }))
      return KINDS.flatMap((kind) => {
        const next = (nextUnfolded.get(projectNo, kind) as number | undefined) ?? 0
        const unfolded = (list.all(projectNo, kind, next) as number[]).flatMap((segmentId) => {
          const packed = hashesOf(segmentId)
          const held = wanted.filter(({ low, high }) => holds(packed, low, high)).map(({ hash }) => hash)
          return held.length > 0 ? [{ segmentId, kind, hashes: held }] : []
        })
        return next === 0 ? unfolded : [...findFolded(projectNo, kind, hashes), ...unfolded]
      })
    },
  }
}

/** Every trace that has records in the store, by the words of its hash; of the low word the upper 8 bits are right. Repeats come. */
export function eachStoredTrace(db: SqliteDatabase, visit: (low: number, high: number) => void): void {
  for (const kind of KINDS) eachFoldedTrace(db, kind, visit)
  const unfolded = db
    .prepare(`
      select s.trace_hashes from segment s left join folded f on f.project_no = s.project_no and f.kind = s.kind
      where s.first_commit >= coalesce(f.next_commit, 0)`)
    .pluck()
  for (const blob of unfolded.iterate() as IterableIterator<Buffer>) {
    const words = new Uint32Array(new Uint8Array(blob).buffer)
    for (let at = 0; at < words.length; at += 2) visit(words[at]!, words[at + 1]!)
  }
}

/** Starts where the hash would lie if hashes were spread evenly, which keyed hashes are, and walks from there. */
function holds(packed: Packed, low: number, high: number): boolean {
  const count = packed.length >>> 1
  if (count === 0) return false
  let at = Math.min(count - 1, Math.floor((high / HALF_RANGE) * count))
  while (at > 0 && isBelow(low, high, packed, at)) at--
  while (at < count && isBelowRow(packed, at, low, high)) at++
  return at < count && packed[at * 2] === low && packed[at * 2 + 1] === high
}

function isBelow(low: number, high: number, packed: Packed, row: number): boolean {
  const rowHigh = packed[row * 2 + 1]!
  return high < rowHigh || (high === rowHigh && low < packed[row * 2]!)
}

function isBelowRow(packed: Packed, row: number, low: number, high: number): boolean {
  const rowHigh = packed[row * 2 + 1]!
  return rowHigh < high || (rowHigh === high && packed[row * 2]! < low)
}
