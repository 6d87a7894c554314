import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import { findSpanName } from '@loopkit/shared/otlp/find-span-name'
import type { OtlpSpan } from '@loopkit/shared/otlp/model'
import { decodeCommits } from '@loopkit/shared/segment/header'
import { detect } from '@loopkit/shared/signals/detect'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { clampNano, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { memoryOf } from '../read-memory.ts'
import { JUDGE_FILTER } from '../records/judge-span.ts'
import { type OpenSegment, openSegment, pickRows, rowName, type SegmentRow, wordAt } from '../records/read-spans.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** A segment of spans that looks go through, with what they found out of it: its records never change, so that stays true. */
export interface LookedSegment extends OpenSegment {
  /** Its name, of all that were and will be. */
  key: string
  /** Its spans by their names, those that failed apart from the others, in the order of their trace ids. */
  buckets: ReadonlyMap<string, readonly number[]>
  /** Of each row the six last bytes of the trace id, which the trace context specification wants to be random, as a number. */
  orders: Float64Array
  /** Of each row the four last bytes of the span id. */
  ends: Uint32Array
  /** Of some rows, those that were decoded. */
  facts: Map<number, RowFacts>
  receivedMinMs: number
  receivedMaxMs: number
}

/** What a span says of itself. */
export interface RowFacts {
  name: string
  /** Orders records by the last bytes of their trace ids, then by their names. */
  order: string
  /** Service and operation as one text. */
  place: string
  /** As rows hold it. */
  traceHash: bigint
  /** Ended, and no failure by itself. */
  isSound: boolean
  /** In ms; 0 while it has not ended. */
  tookMs: number
}

interface HeaderRow {
  first_commit: number
  last_commit: number
  body_bytes: number
}

/** A look and a half. */
const LOOKED = memoryOf<LookedSegment>('looked segments', 24)
/** What a record takes beside its bytes: places, names, and facts of some. */
const ROW_BYTES = 200
const TRACE_ID_BYTES = 16
/** Where the part of a trace id begins that is random whoever made it. */
const TRACE_ID_RANDOM_AT = 9
const NOTHING_OFF: ReadonlySet<SignalType> = new Set()

/** Opens segments of spans, or recalls them. */
export function createLookedSegments({ db, memory, segments }: TelemetryConnection) {
  const header = db.prepare(`select first_commit, last_commit, body_bytes from segment where segment_id = ? and kind = 'span'`)
  const load = db.prepare('select kind, body, body_bytes, commits from segment where segment_id = ?')
  return {
    /** Bytes that it has when it is opened; null where it is gone or of another kind. */
    header: (segmentId: number) => header.get(segmentId) as HeaderRow | undefined,
    /** null: it is damaged. */
    open(segmentId: number, { first_commit, last_commit }: HeaderRow): LookedSegment | null {
      const key = `${segmentId} ${first_commit} ${last_commit}`
      const known = memory.take(LOOKED).recall(key)
      if (known) return known
      const looked = lookedSegment(key, load.get(segmentId) as SegmentRow, segments.open)
      if (looked) memory.take(LOOKED).keep(key, looked, looked.body.length + looked.scan.count * ROW_BYTES)
      return looked
    },
  }
}

function lookedSegment(key: string, row: SegmentRow, unpack: TelemetryConnection['segments']['open']): LookedSegment | null {
  const opened = openSegment(row, unpack)
  if (opened === null) return null
  // A copy: what the opener answers is overwritten by the next question.
  const segment = { ...opened, body: Buffer.copyBytesFrom(opened.body) }
  const orders = new Float64Array(segment.scan.count)
  const ends = new Uint32Array(orders.length)
  const buckets = new Map<string, number[]>()
  for (let at = 0; at < orders.length; at++) {
    orders[at] = orderAt(segment, at)
    ends[at] = wordAt(segment.body, segment.scan.spanIdAt[at]! + 4)
    const bucket = bucketName(segment.scan.hasError[at]!, spanNameOf(segment, at))
    const rows = buckets.get(bucket)
    if (rows) rows.push(at)
    else buckets.set(bucket, [at])
  }
  for (const rows of buckets.values()) rows.sort((a, b) => orders[a]! - orders[b]!)
  const arrivals = decodeCommits(row.commits).map(({ receivedMs }) => receivedMs)
  const times = { receivedMinMs: Math.min(...arrivals), receivedMaxMs: Math.max(...arrivals) }
  return { key, ...segment, orders, ends, buckets, facts: new Map(), ...times }
}

/** A span name that failed (1) or not (0). */
export function bucketName(hasError: number, spanName: string): string {
  return `${hasError} ${spanName}`
}

/** The span name of a bucket. */
export function spanNameOfBucket(bucket: string): string {
  return bucket.slice(2)
}

export function spanNameOf({ body, scan }: OpenSegment, at: number): string {
  return findSpanName(body, scan.spanStart[at]!, scan.spanEnd[at]!)
}

function orderAt({ body, scan }: OpenSegment, row: number): number {
  const at = scan.traceIdAt[row]! + 10
  return wordAt(body, at + 2) * 65_536 + body[at]! * 256 + body[at + 1]!
}

/** Service and operation, as rows hold them. */
export function placeName({ service, operation }: { service: string; operation: string }): string {
  return `${service}\n${operation}`
}

/** As the collector times spans. */
export function tookMs({ startUnixNano, endUnixNano }: Pick<OtlpSpan, 'startUnixNano' | 'endUnixNano'>): number {
  return endUnixNano === 0n ? 0 : Math.max(0, nanoToMs(clampNano(endUnixNano)) - nanoToMs(clampNano(startUnixNano)))
}

/** What these rows say, in their order. Only those that were never asked before are decoded. */
export function factsOf(
  hasher: TraceHasher,
  projectNo: number,
  { segment, rows }: { segment: LookedSegment; rows: readonly number[] },
): RowFacts[] {
  const { facts } = segment
  const missing = new Set(rows.filter((at) => !facts.has(at)))
  const ats = [...missing].sort((a, b) => a - b)
  pickRows(segment, missing, JUDGE_FILTER).forEach(({ ctx }, i) => {
    const view = viewSpan(ctx)
    const at = ats[i]!
    const name = rowName(segment, at)
    facts.set(at, {
      name,
      order: name.slice(TRACE_ID_RANDOM_AT, TRACE_ID_BYTES) + name,
      place: placeName({ service: toIndexText(view.service), operation: toIndexText(view.operation) }),
      traceHash: BigInt.asIntN(64, hasher(projectNo, ctx.span.traceId)),
      // What fails by a signal that is off is still not healthy.
      isSound: ctx.span.endUnixNano !== 0n && detect(ctx.span, view, NOTHING_OFF) === null,
      tookMs: tookMs(ctx.span),
    })
  })
  return rows.flatMap((at) => facts.get(at) ?? [])
}
