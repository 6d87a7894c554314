import type { AttributeFilter } from '../../otlp/attribute-filter.ts'
import { toHex } from '../../otlp/ids.ts'
import type { OtlpAttributes, SpanInContext } from '../../otlp/model.ts'
import { createCommitOfRow } from '../../segment/header.ts'
import type { SqliteDatabase } from '../open.ts'
import { codecOf, type RecordKind, type WantsTrace } from './record-codecs.ts'
import { type OpenedSegment, openStoredSegment, type StoredSegment, type UnpackSegment } from './segment-damage.ts'
import type { TraceHasher } from './trace-hash.ts'
import { createTraceIndex, type TraceIndex } from './trace-index.ts'

/** A span as it lies in the store, or a log record in the place of one, with its arrival. */
export interface StoredSpan {
  ctx: SpanInContext
  receivedMs: number
  commit: number
}

export interface ReadTraceOptions {
  /** Decodes only the span attributes it wants. */
  filter?: AttributeFilter
  /** Remembers trace hashes between calls; without it they are read from the file each time. */
  index?: TraceIndex
  unpack?: UnpackSegment
  /** Most spans taken of one trace, the first to arrive; the rest is left out. */
  spansMax?: number
  /** Gets the hex ids of the traces of which something was left out. */
  cut?: Set<string>
  /** Gets the ids of segments that hold something of the traces and cannot be read. */
  damaged?: Set<number>
  /** Most spans of all traces together; beyond it TooManySpansError is thrown, and fewer traces are to be asked for. */
  totalSpansMax?: number
  /** Most characters in their attributes' texts together; as `totalSpansMax`. What models say is long. */
  totalTextMaxChars?: number
}

export class TooManySpansError extends Error {
  override readonly name = 'TooManySpansError'
}

const SPANS_MAX = 50_000

/**
 * All stored spans and log records of these traces, by hex trace id; a trace that is not stored has no entry. Every segment is opened
 * once for all traces. Of two spans with the same id the ended one wins over one that had not ended, else the first to
 * arrive stays. Spans come in order of arrival, log records after them. Call it inside a read transaction to see one moment.
 */
export function readTraces(
  db: SqliteDatabase,
  hasher: TraceHasher,
  projectNo: number,
  traceIds: readonly Uint8Array[],
  {
    filter,
    index = createTraceIndex(db),
    unpack,
    spansMax = SPANS_MAX,
    cut,
    damaged,
    totalSpansMax = Number.POSITIVE_INFINITY,
    totalTextMaxChars = Number.POSITIVE_INFINITY,
  }: ReadTraceOptions = {},
): Map<string, StoredSpan[]> {
  const wanted = createWantsTrace(traceIds)
  const traces = new Map<string, Map<string, StoredSpan>>()
  const load = db.prepare('select body, body_bytes, commits from segment where segment_id = ?')
  let total = 0
  let chars = 0
  const hashes = [...new Set(traceIds.map((id) => hasher(projectNo, id)))]
  for (const { segmentId, kind } of index.find(projectNo, hashes)) {
    const row = load.get(segmentId) as StoredSegment | undefined
    // Merged away since the index was read: its spans come with the segment that took its place.
    if (!row) continue
    const opened = openStoredSegment(row, unpack)
    if (opened === null) {
      damaged?.add(segmentId)
      continue
    }
    for (const stored of spansOf(opened, kind, { wanted, filter })) {
      if (++total > totalSpansMax) throw new TooManySpansError(`more than ${totalSpansMax} spans`)
      chars += textChars(stored.ctx.span.attributes)
      if (chars > totalTextMaxChars) throw new TooManySpansError(`more than ${totalTextMaxChars} characters`)
      if (!addSpan(traces, stored, spansMax)) cut?.add(toHex(stored.ctx.span.traceId))
    }
  }
  return new Map([...traces].map(([traceId, spans]) => [traceId, [...spans.values()]]))
}

function textChars(attributes: OtlpAttributes): number {
  let chars = 0
  for (const value of attributes.values()) if (typeof value === 'string') chars += value.length
  return chars
}

interface Picking {
  wanted: WantsTrace
  filter: AttributeFilter | undefined
}

function* spansOf(opened: OpenedSegment, kind: RecordKind, { wanted, filter }: Picking): Generator<StoredSpan> {
  const commitOf = createCommitOfRow(opened.commits)
  for (const { row: at, ctx } of codecOf(kind).pick(opened.body, wanted, filter)) {
    const { receivedMs, number } = commitOf(at)
    yield { ctx, receivedMs, commit: number }
  }
}

/** false: the trace has too many. */
function addSpan(traces: Map<string, Map<string, StoredSpan>>, stored: StoredSpan, spansMax: number): boolean {
  const { span } = stored.ctx
  const traceId = toHex(span.traceId)
  let spans = traces.get(traceId)
  if (!spans) {
    spans = new Map()
    traces.set(traceId, spans)
  }
  const spanId = toHex(span.spanId)
  const before = spans.get(spanId)
  if (before === undefined && spans.size >= spansMax) return false
  if (before !== undefined && (before.ctx.span.endUnixNano !== 0n || span.endUnixNano === 0n)) return true
  // Taken out first, so that it stands where it arrived: a merge leaves only this one.
  spans.delete(spanId)
  spans.set(spanId, stored)
  return true
}

/** Whether the trace whose id lies in a body is one of these. */
export function createWantsTrace(ids: readonly Uint8Array[]): WantsTrace {
  const [only] = ids
  if (only && ids.length === 1) return (bytes, at) => isIdAt(only, bytes, at)
  const wanted = new TraceIdSet(ids)
  return (bytes, at) => wanted.has(bytes, at)
}

/** From its end, which is random whoever made it: nearly always one step. */
function isIdAt(id: Uint8Array, bytes: Uint8Array, at: number): boolean {
  if (at + TRACE_ID_BYTES > bytes.length || id.length !== TRACE_ID_BYTES) return false
  for (let i = TRACE_ID_BYTES - 1; i >= 0; i--) if (bytes[at + i] !== id[i]) return false
  return true
}

/** Trace ids by a hash of all their bytes: asked once per span of a segment, so no text is made of them. */
class TraceIdSet {
  readonly #byHash = new Map<number, Uint8Array[]>()

  constructor(ids: readonly Uint8Array[]) {
    for (const id of ids) {
      const hash = hashOf(id, 0)
      this.#byHash.set(hash, [...(this.#byHash.get(hash) ?? []), id])
    }
  }

  has(bytes: Uint8Array, at: number): boolean {
    if (at + TRACE_ID_BYTES > bytes.length) return false
    const candidates = this.#byHash.get(hashOf(bytes, at))
    return candidates?.some((id) => id.every((byte, i) => bytes[at + i] === byte)) ?? false
  }
}

const TRACE_ID_BYTES = 16

function hashOf(bytes: Uint8Array, at: number): number {
  let hash = 0x2c1b3c6d
  for (let p = at; p < at + TRACE_ID_BYTES; p += 4) {
    const word = bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}
