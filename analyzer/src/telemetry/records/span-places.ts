import { createWantsTrace, type StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { codecOf, type RecordHead, type RecordKind, type WantsTrace } from '@loopkit/shared/database/telemetry/record-codecs'
import { openStoredSegment, type StoredSegment } from '@loopkit/shared/database/telemetry/segment-damage'
import type { AttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import { createCommitOfRow, type SegmentCommit } from '@loopkit/shared/segment/header'
import { isLoneTrace } from '@loopkit/shared/span/lone-trace-id'
import { decodeRecordId, encodeRecordId } from '@loopkit/shared/span/record-id'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** Where a record lies and when it was, before anything else of it is read. */
export interface SpanPlace {
  segmentId: number
  head: RecordHead
  /** Orders records of the same moment, as their record ids do. */
  name: string
  startUnixNano: bigint
  endUnixNano: bigint
  /** Its arrival. */
  commit: number
  receivedMs: number
}

/** Bodies of segments held between two pages of the same question. */
const HELD_MAX_BYTES = 32 * 1024 ** 2
/** Records whose places are held; some 200 B each. */
const PLACES_MAX = 200_000
const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8

interface Opened {
  kind: RecordKind
  body: Uint8Array
  commits: SegmentCommit[]
}

/** The records of some traces, found without decoding them, so that a page of a huge trace costs what the page holds. */
export interface SpanPlaces {
  /** In order of time; each record once, the ended version of two. */
  places: SpanPlace[]
  /** Segments that hold something of the traces and cannot be read. */
  damaged: number
  /** Records beyond the most that are held. */
  leftOut: number
  /** The records at these places, in their order. */
  read(places: readonly SpanPlace[], filter?: AttributeFilter): StoredSpan[]
}

export function findSpanPlaces(connection: TelemetryConnection, projectNo: number, traceIds: readonly Uint8Array[]): SpanPlaces {
  const open = createOpen(connection)
  const wants = createWantsTrace(traceIds)
  const hashes = [...new Set(traceIds.map((id) => connection.hasher(projectNo, id)))]
  const found = new Map<string, SpanPlace>()
  let damaged = 0
  let leftOut = 0
  for (const { segmentId } of connection.index.find(projectNo, hashes)) {
    const opened = open(segmentId)
    if (opened === 'damaged') damaged += 1
    if (typeof opened === 'string') continue
    for (const place of placesIn(segmentId, opened, wants)) {
      if (found.size < PLACES_MAX || found.has(place.name)) note(found, place)
      else leftOut += 1
    }
  }
  return {
    places: [...found.values()].sort(comparePlaces),
    damaged,
    leftOut,
    read: (places, filter) => readPlaces(open, places, filter),
  }
}

/** The wanted records of one segment, in its order. */
export function* placesIn(segmentId: number, opened: Opened, wants: WantsTrace): Generator<SpanPlace> {
  const nameAt = createNameAt(opened)
  const commitOf = createCommitOfRow(opened.commits)
  for (const head of codecOf(opened.kind).heads(opened.body, wants)) {
    const { startUnixNano, endUnixNano } = head
    const { number: commit, receivedMs } = commitOf(head.row)
    yield { segmentId, head, name: nameAt(head), startUnixNano, endUnixNano, commit, receivedMs }
  }
}

/** The record id of a place's name. */
export function recordIdOf(name: string): string {
  const bytes = Buffer.from(name, 'latin1')
  return encodeRecordId(bytes.subarray(0, TRACE_ID_BYTES), bytes.subarray(TRACE_ID_BYTES))
}

/** The name of a record id, to be compared with those of places; null for a text that is none. */
export function placeName(recordId: string): string | null {
  const ids = decodeRecordId(recordId)
  return ids && nameOf(ids.traceId, ids.spanId)
}

export function nameOf(traceId: Uint8Array, spanId: Uint8Array): string {
  const shown = isLoneTrace(traceId, spanId) ? NO_TRACE : traceId
  return Buffer.from(shown).toString('latin1') + Buffer.from(spanId).toString('latin1')
}

const NO_TRACE = new Uint8Array(TRACE_ID_BYTES)

/** Only a log record can be without a trace. */
function createNameAt({ kind, body }: Opened): (head: { traceIdAt: number; spanIdAt: number }) => string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (kind === 'span') {
    let lastAt = -1
    let trace = ''
    return ({ traceIdAt, spanIdAt }) => {
      if (lastAt === -1 || !isSameId(body, lastAt, traceIdAt))
        trace = bytes.toString('latin1', traceIdAt, traceIdAt + TRACE_ID_BYTES)
      lastAt = traceIdAt
      return trace + bytes.toString('latin1', spanIdAt, spanIdAt + SPAN_ID_BYTES)
    }
  }
  return ({ traceIdAt, spanIdAt }) =>
    nameOf(body.subarray(traceIdAt, traceIdAt + TRACE_ID_BYTES), body.subarray(spanIdAt, spanIdAt + SPAN_ID_BYTES))
}

function isSameId(body: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < TRACE_ID_BYTES; i++) if (body[a + i] !== body[b + i]) return false
  return true
}

/** Of two versions the ended one counts, else the first to arrive. */
function note(found: Map<string, SpanPlace>, place: SpanPlace): void {
  const before = found.get(place.name)
  if (before === undefined || (before.endUnixNano === 0n && place.endUnixNano !== 0n)) found.set(place.name, place)
}

function comparePlaces(a: SpanPlace, b: SpanPlace): number {
  if (a.startUnixNano !== b.startUnixNano) return a.startUnixNano < b.startUnixNano ? -1 : 1
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

type Open = (segmentId: number) => Opened | 'damaged' | 'gone'

/** `gone`: merged away since the index was read; its records come with the segment that took its place. */
function createOpen({ db, segments }: TelemetryConnection): Open {
  const load = db.prepare('select kind, body, body_bytes, commits from segment where segment_id = ?')
  const held = new Map<number, Opened>()
  let heldBytes = 0
  return (segmentId) => {
    const known = held.get(segmentId)
    if (known) return known
    const row = load.get(segmentId) as (StoredSegment & { kind: RecordKind }) | undefined
    if (row === undefined) return 'gone'
    const opened = openStoredSegment(row, segments.open)
    if (opened === null) return 'damaged'
    const segment = { kind: row.kind, ...opened }
    held.set(segmentId, segment)
    heldBytes += opened.body.length
    for (const [oldest, { body }] of held) {
      if (heldBytes <= HELD_MAX_BYTES) break
      held.delete(oldest)
      heldBytes -= body.length
    }
    return segment
  }
}

function readPlaces(open: Open, places: readonly SpanPlace[], filter?: AttributeFilter): StoredSpan[] {
  const found = new Map<SpanPlace, StoredSpan>()
  for (const [segmentId, own] of Map.groupBy(places, (place) => place.segmentId)) {
    const opened = open(segmentId)
    if (typeof opened === 'string') continue
    const heads = own.map(({ head }) => head)
    for (const [at, ctx] of codecOf(opened.kind).read(opened.body, heads, filter).entries()) {
      const { receivedMs, commit } = own[at]!
      found.set(own[at]!, { ctx, receivedMs, commit })
    }
  }
  return places.flatMap((place) => found.get(place) ?? [])
}
