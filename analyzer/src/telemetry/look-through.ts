import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { AttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import { findSpanName } from '@loopkit/shared/otlp/find-span-name'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { detect } from '@loopkit/shared/signals/detect'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { windowBoundsMs } from '../domain/window.ts'
import type { EvidenceRow } from './evidence-rows.ts'
import { JUDGE_FILTER } from './judge-span.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'
import { type OpenSegment, openSegment, pickRows, rowName, type SegmentRow, type SpanId } from './read-spans.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

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
}

export interface Look {
  /** By name. */
  failing: ReadonlyMap<string, Place>
  /** Records of the operation a pain fails in, in the order of their trace ids: no order of arrival shows in them. */
  candidatesOf(pain: RankedPain): readonly Candidate[]
  /** The records themselves: these few and no other of their segments. */
  read(places: readonly Place[], filter: AttributeFilter): Map<string, SpanInContext>
}

/** Segments looked through, and what they may hold: a bounded look, whatever the window holds. */
const SEGMENTS_MAX = 64
const SEGMENTS_MAX_BYTES = 8 * 1024 ** 2
/** Spans that are decoded to learn their operation. */
const SPANS_MAX = 6000
/** Sound records of an operation, from which no more are looked for under other names than those of the failing ones. */
const SOUND_ENOUGH = 20

/**
 * One look through some segments for all of these pains. Spans named as the failing ones are read first, since an operation mostly goes
 * by one name, and others only for a pain that finds too few: so a rare operation is found among a thousand times as many spans.
 */
export function lookThrough(connection: TelemetryConnection, question: PainQuestion, pains: readonly WantedPain[]): Look {
  const opened = chooseSegments(connection, question, pains).flatMap((row) => openSegment(row, connection.segments.open) ?? [])
  const { failing, namesMax } = findFailing(opened, pains)
  const { named, others } = placesByName(opened, question, { failing, namesMax })
  const found = new Map<string, Candidate[]>(pains.map(({ pain }) => [operationOf(pain), []]))
  const collect = createCollector(connection, question, { opened, found })
  collect(named.slice(0, SPANS_MAX))
  const isShort = [...found.values()].some((all) => all.filter(({ isSound }) => isSound).length < SOUND_ENOUGH)
  if (isShort) collect(inOrder(others).slice(0, Math.max(0, SPANS_MAX - named.length)))
  const ordered = new Map([...found].map(([operation, all]) => [operation, withoutRepeats(all)]))
  return {
    failing,
    candidatesOf: (pain) => ordered.get(operationOf(pain)) ?? [],
    read: (places, filter) => readPlaces(opened, places, filter),
  }
}

/** Trace and span id as text: cheaper than a record id. */
export function nameOf({ traceId, spanId }: SpanId): string {
  return Buffer.from(traceId).toString('latin1') + Buffer.from(spanId).toString('latin1')
}

function operationOf({ service, operation }: { service: string; operation: string }): string {
  return `${service}\n${operation}`
}

/** Those with most of the failing records first, each pain's counted alike, then the newest: both sides are read from the same segments. */
function chooseSegments(
  { db, hasher, index }: TelemetryConnection,
  { projectNo, window }: PainQuestion,
  pains: readonly WantedPain[],
): SegmentRow[] {
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
    .all(projectNo, fromMs, toMs, SEGMENTS_MAX) as number[]
  const load = db.prepare(`select kind, body, body_bytes, commits from segment where segment_id = ? and kind = 'span'`)
  const rows: SegmentRow[] = []
  let bytes = 0
  for (const segmentId of new Set([...holding, ...newest])) {
    if (rows.length === SEGMENTS_MAX || bytes > SEGMENTS_MAX_BYTES) break
    const row = load.get(segmentId) as SegmentRow | undefined
    if (!row) continue
    rows.push(row)
    bytes += row.body_bytes
  }
  return rows
}

/** The failing records that were asked for, and how many spans of each of their names are to be read. */
function findFailing(opened: readonly OpenSegment[], pains: readonly WantedPain[]) {
  const maxOf = new Map<string, number>()
  const ends = new Set<number>()
  for (const { rows, candidatesMax } of pains) {
    for (const row of rows) {
      maxOf.set(nameOf(row), Math.max(candidatesMax, maxOf.get(nameOf(row)) ?? 0))
      ends.add(wordAt(row.spanId, 4))
    }
  }
  const failing = new Map<string, Place>()
  const namesMax = new Map<string, number>()
  opened.forEach((segment, number) => {
    const { body, scan } = segment
    for (let at = 0; at < scan.count; at++) {
      // Four bytes of the span id tell nearly all others apart before any text is made.
      if (!ends.has(wordAt(body, scan.spanIdAt[at]! + 4))) continue
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

function spanNameOf({ body, scan }: OpenSegment, at: number): string {
  return findSpanName(body, scan.spanStart[at]!, scan.spanEnd[at]!)
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

interface Row {
  segment: number
  at: number
  /** The six last bytes of the trace id, which the trace context specification wants to be random, as a number. */
  order: number
}

/** Spans that arrived in the window: of each wanted name so many that failed and so many that did not, and all others. */
function placesByName(
  opened: readonly OpenSegment[],
  { window }: PainQuestion,
  { failing, namesMax }: { failing: ReadonlyMap<string, Place>; namesMax: ReadonlyMap<string, number> },
): { named: Row[]; others: Row[] } {
  const { fromMs, toMs } = windowBoundsMs(window)
  const known = new Set([...failing.values()].map(({ segment, at }) => `${segment} ${at}`))
  const byName = new Map<string, Row[]>()
  const others: Row[] = []
  opened.forEach((segment, number) => {
    const { scan, arrival } = segment
    for (let at = 0; at < scan.count; at++) {
      const { receivedMs } = arrival(at)
      if (receivedMs < fromMs || receivedMs >= toMs || known.has(`${number} ${at}`)) continue
      const row = { segment: number, at, order: orderAt(segment, at) }
      const spanName = spanNameOf(segment, at)
      if (!namesMax.has(spanName)) {
        others.push(row)
        continue
      }
      const bucket = `${scan.hasError[at]} ${spanName}`
      const ofBucket = byName.get(bucket)
      if (ofBucket) ofBucket.push(row)
      else byName.set(bucket, [row])
    }
  })
  const named = [...byName].flatMap(([bucket, rows]) => inOrder(rows).slice(0, namesMax.get(bucket.slice(2))))
  return { named: inOrder(named), others }
}

function orderAt({ body, scan }: OpenSegment, row: number): number {
  const at = scan.traceIdAt[row]! + 10
  return wordAt(body, at + 2) * 65_536 + body[at]! * 256 + body[at + 1]!
}

function inOrder(rows: Row[]): Row[] {
  return rows.sort((a, b) => a.order - b.order)
}

const NOTHING_OFF: ReadonlySet<SignalType> = new Set()

/** Decodes rows as far as their operation and soundness take, and sorts them under the operations that were asked for. */
function createCollector(
  { hasher }: TelemetryConnection,
  { projectNo }: PainQuestion,
  { opened, found }: { opened: readonly OpenSegment[]; found: ReadonlyMap<string, Candidate[]> },
): (rows: readonly Row[]) => void {
  return (rows) => {
    for (const [number, ofSegment] of Map.groupBy(rows, ({ segment }) => segment)) {
      const ats = ofSegment.map(({ at }) => at).sort((a, b) => a - b)
      const picked = pickRows(opened[number]!, new Set(ats), JUDGE_FILTER)
      picked.forEach(({ ctx }, i) => {
        const view = viewSpan(ctx)
        const operation = operationOf({ service: toIndexText(view.service), operation: toIndexText(view.operation) })
        const ofOperation = found.get(operation)
        if (!ofOperation) return
        // What fails by a signal that is off is still not healthy.
        const isSound = ctx.span.endUnixNano !== 0n && detect(ctx.span, view, NOTHING_OFF) === null
        const traceHash = BigInt.asIntN(64, hasher(projectNo, ctx.span.traceId))
        ofOperation.push({ name: nameOf(ctx.span), segment: number, at: ats[i]!, isSound, traceHash })
      })
    }
  }
}

/** In the order of the last bytes of their trace ids, then of their names; of two versions of one the sound one. */
function withoutRepeats(candidates: readonly Candidate[]): Candidate[] {
  const distinct = new Map<string, Candidate>()
  for (const candidate of candidates) {
    if (candidate.isSound || !distinct.has(candidate.name)) distinct.set(candidate.name, candidate)
  }
  return [...distinct.values()]
    .map((candidate) => ({ candidate, order: candidate.name.slice(TRACE_ID_RANDOM_AT, TRACE_ID_BYTES) + candidate.name }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ candidate }) => candidate)
}

const TRACE_ID_BYTES = 16
/** Where the part of a trace id begins that is random whoever made it. */
const TRACE_ID_RANDOM_AT = 9

function readPlaces(
  opened: readonly OpenSegment[],
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
