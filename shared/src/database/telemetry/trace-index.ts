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
  const { cacheMaxBytes = CACHE_MAX_BYTES, rememberedMax = 0 } = options
  const runs = createTraceRuns(db, options)
  const nextUnfolded = db.prepare('select next_commit from folded where project_no = ? and kind = ?').pluck()
  const byCommit = db
    .prepare(
      `select first_commit, segment_id from segment
       where project_no = ? and kind = ? and first_commit in (select value from json_each(?)) order by first_commit`,
    )
    .raw()
  const list = db
    .prepare('select segment_id from segment where project_no = ? and kind = ? and first_commit >= ? order by first_commit')
    .pluck()
  const load = db.prepare('select trace_hashes from segment where segment_id = ?').pluck()
  const known = createKnownPlaces(rememberedMax * REMEMBERED_FACTOR)
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
    const found = runs.find(projectNo, kind, hashes)
    if (found.size === 0) return []
    // Retention takes segments before their runs.
    const kept = byCommit.all(projectNo, kind, JSON.stringify([...found.keys()])) as [commit: number, segmentId: number][]
    return kept.map(([commit, segmentId]) => ({ segmentId, kind, hashes: found.get(commit)! }))
  }

  return {
    find(projectNo, hashes) {
      return KINDS.flatMap((kind) => {
        const next = (nextUnfolded.get(projectNo, kind) as number | undefined) ?? 0
        const segmentIds = list.all(projectNo, kind, next) as number[]
        const held = known(`${projectNo} ${kind}`, segmentIds)(hashes, hashesOf)
        const unfolded = segmentIds.flatMap((segmentId) => {
          const found = held.get(segmentId)
          return found === undefined ? [] : [{ segmentId, kind, hashes: found }]
        })
        return next === 0 ? unfolded : [...findFolded(projectNo, kind, hashes), ...unfolded]
      })
    },
  }
}

/** Of all that are asked for again and again, against those of one run. */
const REMEMBERED_FACTOR = 8
/** Projects of which it is remembered which segments hold their traces. */
const PROJECTS_MAX = 4

interface KnownPlaces {
  /** Segments in the order in which they were met, those among them that have gone since. */
  met: number[]
  /** Which of them hold a trace, as far as it was looked for: of those before a place. */
  byHash: Map<bigint, { upTo: number; segmentIds: number[] }>
}

type FindHolding = (hashes: readonly bigint[], hashesOf: (segmentId: number) => Packed) => Map<number, bigint[]>

/** Looks for traces only in segments that were not there when they were looked for before. */
function createKnownPlaces(max: number): (of: string, segmentIds: readonly number[]) => FindHolding {
  const known = new Map<string, KnownPlaces>()
  return (of, segmentIds) => {
    const now = new Set(segmentIds)
    let places = known.get(of)
    const isSpent = !places || places.byHash.size >= max || places.met.length > 2 * now.size + 100
    if (!places || isSpent) {
      if (known.size >= PROJECTS_MAX) known.clear()
      places = { met: [], byHash: new Map() }
      known.set(of, places)
    }
    const { met, byHash } = places
    const before = new Set(met)
    for (const segmentId of segmentIds) if (!before.has(segmentId)) met.push(segmentId)
    return (hashes, hashesOf) => {
      const found = new Map<number, bigint[]>()
      for (const hash of hashes) {
        const place = byHash.get(hash) ?? { upTo: 0, segmentIds: [] }
        const [low, high] = [Number(hash & 0xffffffffn), Number(hash >> 32n)]
        for (; place.upTo < met.length; place.upTo++) {
          const segmentId = met[place.upTo]!
          if (now.has(segmentId) && holds(hashesOf(segmentId), low, high)) place.segmentIds.push(segmentId)
        }
        if (max > 0) byHash.set(hash, place)
        for (const segmentId of place.segmentIds) {
          if (!now.has(segmentId)) continue
          const held = found.get(segmentId)
          if (held) held.push(hash)
          else found.set(segmentId, [hash])
        }
      }
      return found
    }
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
