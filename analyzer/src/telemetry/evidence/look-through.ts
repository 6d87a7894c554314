import type { AttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { type MinuteWindow, windowBoundsMs } from '../../domain/window.ts'
import type { PainQuestion, RankedPain } from '../pains/pain-question.ts'
import { nameOf, pickRows, rowName, wordAt } from '../records/read-spans.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { EvidenceRow } from './evidence-order.ts'
import {
  bucketName,
  createLookedSegments,
  factsOf,
  type LookedSegment,
  placeName,
  spanNameOf,
  spanNameOfBucket,
} from './looked-segment.ts'

/** A pain that records are looked for, with its failing records in their order of preference. */
export interface WantedPain {
  pain: RankedPain
  rows: readonly EvidenceRow[]
  /** Records of its operation, failing and not, that are read at most. */
  candidatesMax: number
}

/** Where a record lies in what was opened. */
export interface Place {
  name: string
  segment: number
  at: number
}

export interface Candidate extends Place {
  /** As rows hold it. */
  traceHash: bigint
  /** Ended, and no failure by itself. */
  isSound: boolean
  tookMs: number
}

export interface Look {
  /** By name. */
  failing: ReadonlyMap<string, Place>
  /** Records of the operation a pain fails in, in the order of their trace ids: no order of arrival shows in them. */
  candidatesOf(pain: RankedPain): readonly Candidate[]
  /** The record at a place, by a name that it has nowhere else, now and later. */
  keyOf(place: Place): string
  /** The records themselves: these few and no other of their segments. */
  read(places: readonly Place[], filter: AttributeFilter): Map<string, SpanInContext>
}

/** Segments looked through, and what they may hold: a bounded look, whatever the window holds. */
const SEGMENTS_MAX = 64
const SEGMENTS_MAX_BYTES = 8 * 1024 ** 2
/** Young segments hold a request each: so many more of them cost no more than the ones above, up to so many bytes together. */
const YOUNG_SEGMENTS_MAX = 512
const YOUNG_MAX_BYTES = 1024 ** 2
/** Spans that are decoded to learn their operation. */
const SPANS_MAX = 6000
/** Sound records of an operation, from which no more are looked for under other names than those of the failing ones. */
const SOUND_ENOUGH = 20

/**
 * One look through some segments for all of these pains. Spans named as the failing ones are read first, since an operation mostly goes
 * by one name, and others only for a pain that finds too few: so a rare operation is found among a thousand times as many spans.
 */
export function lookThrough(connection: TelemetryConnection, question: PainQuestion, pains: readonly WantedPain[]): Look {
  const opened = chooseSegments(connection, question, pains)
  const { failing, namesMax } = findFailing(opened, pains)
  const isWanted = createIsWanted(opened, question.window, failing)
  const found = new Map<string, Found[]>(pains.map(({ pain }) => [placeName(pain), []]))
  const collect = createCollector(connection, question, { opened, found })
  const named = rowsNamed(opened, isWanted, namesMax)
  collect(named.slice(0, SPANS_MAX))
  const isShort = [...found.values()].some((all) => all.filter(({ isSound }) => isSound).length < SOUND_ENOUGH)
  if (isShort) collect(otherRows(opened, isWanted, { namesMax, most: SPANS_MAX - named.length }))
  const ordered = new Map([...found].map(([operation, all]) => [operation, withoutRepeats(all)]))
  return {
    failing,
    candidatesOf: (pain) => ordered.get(placeName(pain)) ?? [],
    keyOf: ({ segment, at }) => `${opened[segment]!.key} ${at}`,
    read: (places, filter) => readPlaces(opened, places, filter),
  }
}

/** Those with most of the failing records first, each pain's counted alike, then the newest: both sides are read from the same segments. */
function chooseSegments(
  connection: TelemetryConnection,
  { projectNo, window }: PainQuestion,
  pains: readonly WantedPain[],
): LookedSegment[] {
  const { db, hasher, index } = connection
  const weights = new Map<bigint, number>()
  for (const { rows } of pains) {
    for (const { traceId } of rows) {
      const hash = hasher(projectNo, traceId)
      weights.set(hash, (weights.get(hash) ?? 0) + 1 / rows.length)
    }
  }
  const holding = index
    .find(projectNo, [...weights.keys()])
    .map(({ segmentId, hashes }) => ({ segmentId, weight: hashes.reduce((sum, hash) => sum + (weights.get(hash) ?? 0), 0) }))
    .sort((a, b) => b.weight - a.weight || b.segmentId - a.segmentId)
    .map(({ segmentId }) => segmentId)
  const { fromMs, toMs } = windowBoundsMs(window)
  const newest = db
    .prepare(
      `select segment_id from segment where project_no = ? and kind = 'span' and received_max_ms >= ? and received_min_ms < ?
       order by first_commit desc limit ?`,
    )
    .pluck()
    .all(projectNo, fromMs, toMs, YOUNG_SEGMENTS_MAX) as number[]
  const { header, open } = createLookedSegments(connection)
  const chosen: LookedSegment[] = []
  let looked = 0
  let bytes = 0
  for (const segmentId of new Set([...holding, ...newest])) {
    if (looked >= (bytes > YOUNG_MAX_BYTES ? SEGMENTS_MAX : YOUNG_SEGMENTS_MAX) || bytes > SEGMENTS_MAX_BYTES) break
    const row = header(segmentId)
    if (!row) continue
    looked += 1
    bytes += row.body_bytes
    const segment = open(segmentId, row)
    if (segment) chosen.push(segment)
  }
  return chosen
}

const HALF_WORDS = 65_536

/** The failing records that were asked for, and how many spans of each of their names are to be read. */
function findFailing(opened: readonly LookedSegment[], pains: readonly WantedPain[]) {
  const maxOf = new Map<string, number>()
  const ends = new Set<number>()
  // Most rows are none of these: what half of a word says is asked first.
  const halves = new Uint8Array(HALF_WORDS)
  for (const { rows, candidatesMax } of pains) {
    for (const row of rows) {
      const name = nameOf(row)
      const end = wordAt(row.spanId, 4)
      maxOf.set(name, Math.max(candidatesMax, maxOf.get(name) ?? 0))
      ends.add(end)
      halves[end % HALF_WORDS] = 1
    }
  }
  const failing = new Map<string, Place>()
  const namesMax = new Map<string, number>()
  opened.forEach((segment, number) => {
    const { scan, ends: endOf } = segment
    for (let at = 0; at < scan.count; at++) {
      // Four bytes of the span id tell nearly all others apart before any text is made.
      if (halves[endOf[at]! % HALF_WORDS] === 0 || !ends.has(endOf[at]!)) continue
      const name = rowName(segment, at)
      const candidatesMax = maxOf.get(name)
      if (candidatesMax === undefined) continue
      if (scan.endNano[at] !== 0n || !failing.has(name)) failing.set(name, { name, segment: number, at })
      const spanName = spanNameOf(segment, at)
      namesMax.set(spanName, Math.max(candidatesMax, namesMax.get(spanName) ?? 0))
    }
  })
  return { failing, namesMax }
}

interface Row {
  segment: number
  at: number
  order: number
}

type IsWanted = (segment: number, at: number) => boolean

/** Spans that arrived in the window and are not among the failing ones. */
function createIsWanted(opened: readonly LookedSegment[], window: MinuteWindow, failing: ReadonlyMap<string, Place>): IsWanted {
  const { fromMs, toMs } = windowBoundsMs(window)
  const known = opened.map(() => new Set<number>())
  for (const { segment, at } of failing.values()) known[segment]!.add(at)
  const isInside = opened.map(({ receivedMinMs, receivedMaxMs }) => receivedMinMs >= fromMs && receivedMaxMs < toMs)
  return (segment, at) => {
    if (known[segment]!.has(at)) return false
    if (isInside[segment]) return true
    const { receivedMs } = opened[segment]!.arrival(at)
    return receivedMs >= fromMs && receivedMs < toMs
  }
}

/** Of each wanted name so many that failed and so many that did not. */
function rowsNamed(opened: readonly LookedSegment[], isWanted: IsWanted, namesMax: ReadonlyMap<string, number>): Row[] {
  const named: Row[] = []
  for (const [spanName, most] of namesMax) {
    for (const hasError of [0, 1]) {
      const bucket = bucketName(hasError, spanName)
      const rows: Row[] = []
      opened.forEach(({ buckets, orders }, segment) => {
        let taken = 0
        for (const at of buckets.get(bucket) ?? NO_ROWS) {
          if (taken === most) break
          if (!isWanted(segment, at)) continue
          rows.push({ segment, at, order: orders[at]! })
          taken += 1
        }
      })
      named.push(...inOrder(rows).slice(0, most))
    }
  }
  return inOrder(named)
}

/** Of all other names together the first so many. */
function otherRows(
  opened: readonly LookedSegment[],
  isWanted: IsWanted,
  { namesMax, most }: { namesMax: ReadonlyMap<string, number>; most: number },
): Row[] {
  if (most <= 0) return []
  const others = opened.map(({ buckets }) =>
    [...buckets].flatMap(([bucket, rows]) => (namesMax.has(spanNameOfBucket(bucket)) ? [] : [rows])),
  )
  const total = others.reduce((sum, buckets) => sum + buckets.reduce((of, rows) => of + rows.length, 0), 0)
  // Ids are mostly drawn evenly, which says up to where about as many lie; half as many again, since some did not arrive in the window.
  for (let share = (most * 1.5) / Math.max(1, total); ; share *= 2) {
    const last = share >= 1 ? Number.POSITIVE_INFINITY : share * ORDERS
    const rows: Row[] = []
    others.forEach((ofSegment, segment) => {
      const { orders } = opened[segment]!
      for (const bucket of ofSegment) {
        for (const at of bucket) {
          if (orders[at]! > last) break
          if (isWanted(segment, at)) rows.push({ segment, at, order: orders[at]! })
        }
      }
    })
    if (rows.length >= most || share >= 1) return inOrder(rows).slice(0, most)
  }
}

const NO_ROWS: readonly number[] = []
/** Six bytes make so many. */
const ORDERS = 2 ** 48

/** By their trace ids; of one trace as they stand in their segments. */
function inOrder(rows: Row[]): Row[] {
  return rows.sort((a, b) => a.order - b.order || a.segment - b.segment || a.at - b.at)
}

interface Found extends Candidate {
  order: string
}

/** Decodes rows as far as their operation and soundness take, and sorts them under the operations that were asked for. */
function createCollector(
  { hasher }: TelemetryConnection,
  { projectNo }: PainQuestion,
  { opened, found }: { opened: readonly LookedSegment[]; found: ReadonlyMap<string, Found[]> },
): (rows: readonly Row[]) => void {
  return (wanted) => {
    for (const [number, ofSegment] of Map.groupBy(wanted, ({ segment }) => segment)) {
      const rows = ofSegment.map(({ at }) => at)
      factsOf(hasher, projectNo, { segment: opened[number]!, rows }).forEach(({ place, ...facts }, i) => {
        found.get(place)?.push({ ...facts, segment: number, at: rows[i]! })
      })
    }
  }
}

/** In the order of the last bytes of their trace ids, then of their names; of two versions of one the sound one. */
function withoutRepeats(candidates: readonly Found[]): Candidate[] {
  const distinct = new Map<string, Found>()
  for (const candidate of candidates) {
    if (candidate.isSound || !distinct.has(candidate.name)) distinct.set(candidate.name, candidate)
  }
  return [...distinct.values()].sort((a, b) => (a.order < b.order ? -1 : 1))
}

function readPlaces(
  opened: readonly LookedSegment[],
  places: readonly Place[],
  filter: AttributeFilter,
): Map<string, SpanInContext> {
  const found = new Map<string, SpanInContext>()
  for (const [number, ofSegment] of Map.groupBy(places, ({ segment }) => segment)) {
    for (const { ctx } of pickRows(opened[number]!, new Set(ofSegment.map(({ at }) => at)), filter))
      found.set(nameOf(ctx.span), ctx)
  }
  return found
}
