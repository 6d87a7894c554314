import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { codecOf, type RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { openStoredSegment, type StoredSegment } from '@loopkit/shared/database/telemetry/segment-damage'
import type { TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import { createTraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import { freeMemory } from '@loopkit/shared/otlp/free-memory'
import { STORED, STORED_DIFFERS } from './admission.ts'
import { hashContent } from './span-keys.ts'

/** Bytes of a trace id, a span id and the hash of the span's content (little-endian, see hashContent). */
export const SPAN_REF_BYTES = 28
const IDS_BYTES = 24

/** Answers, per span asked for, whether the store has it: one of STORED, with STORED_DIFFERS where it has other content. */
export type StoredSpans = (projectNo: number, refs: Uint8Array) => Uint8Array

/** Spans of segments opened lately, kept because the rest of a trace mostly asks for the same ones. */
const CACHED_SPANS_MAX = 100_000

/** Ids as text → the hash of the span's content times four, plus what follows. */
type SegmentSpans = Map<string, number>

const ENDED = 2
/** Stars are in it: they may be what the redaction left of something else, so its content says nothing. */
const MAY_BE_REDACTED = 1
const STARS = Buffer.from('***')

/**
 * Looks spans up in the segments, for the traces that memory cannot answer for. Slow (it opens segments): for a worker.
 * Each call sees everything that was committed before it.
 */
export function createStoredSpans(db: SqliteDatabase, hasher: TraceHasher): StoredSpans {
  const index = createTraceIndex(db)
  const load = db.prepare('select body, body_bytes, commits from segment where segment_id = ?')
  const cache = new Map<number, SegmentSpans>()
  let cachedSpans = 0

  function spansOf(segmentId: number, kind: RecordKind): SegmentSpans {
    const known = cache.get(segmentId)
    if (known) return known
    const row = load.get(segmentId) as StoredSegment | undefined
    // What cannot be read any more is taken anew when it is sent again.
    const opened = row ? openStoredSegment(row) : null
    const spans = opened ? readSpans(opened.body, kind) : new Map<string, number>()
    // Those of a trace with many are opened one after the other: none may wait for the garbage collector.
    if (opened) freeMemory(opened.body)
    cache.set(segmentId, spans)
    cachedSpans += spans.size
    for (const [oldest, { size }] of cache) {
      if (cachedSpans <= CACHED_SPANS_MAX || oldest === segmentId) break
      cache.delete(oldest)
      cachedSpans -= size
    }
    return spans
  }

  function find(projectNo: number, refs: Uint8Array): Uint8Array {
    const count = refs.length / SPAN_REF_BYTES
    const answer = new Uint8Array(count)
    const asked = new Map<string, number[]>()
    const hashes = new Set<bigint>()
    for (let n = 0; n < count; n++) {
      const ref = refs.subarray(n * SPAN_REF_BYTES, (n + 1) * SPAN_REF_BYTES)
      hashes.add(hasher(projectNo, ref.subarray(0, 16)))
      const text = textOf(ref.subarray(0, IDS_BYTES))
      asked.set(text, [...(asked.get(text) ?? []), n])
    }
    for (const { segmentId, kind } of index.find(projectNo, [...hashes])) {
      const spans = spansOf(segmentId, kind)
      for (const [text, rows] of asked) {
        const span = spans.get(text)
        if (span !== undefined) for (const n of rows) answer[n] = latest(answer[n]!, answerOf(span, contentAt(refs, n)))
      }
    }
    return answer
  }

  // One moment: a merge between finding a segment and opening it would hide what it holds.
  return db.transaction(find)
}

function contentAt(refs: Uint8Array, n: number): number {
  return Buffer.from(refs.buffer, refs.byteOffset, refs.byteLength).readUInt32LE(n * SPAN_REF_BYTES + IDS_BYTES)
}

function answerOf(span: number, content: number): number {
  const differs = (span & MAY_BE_REDACTED) === 0 && Math.floor(span / 4) !== content
  return ((span & ENDED) === 0 ? STORED.unended : STORED.ended) | (differs ? STORED_DIFFERS : 0)
}

/** An ended version goes before one that had not ended. */
function latest(a: number, b: number): number {
  return (b & ~STORED_DIFFERS) > (a & ~STORED_DIFFERS) ? b : a
}

function readSpans(body: Uint8Array, kind: RecordKind): SegmentSpans {
  const scan = codecOf(kind).scan(body)
  const spans: SegmentSpans = new Map()
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  let star = bytes.indexOf(STARS)
  for (let i = 0; i < scan.count; i++) {
    const text =
      bytes.toString('latin1', scan.traceIdAt[i]!, scan.traceIdAt[i]! + 16) +
      bytes.toString('latin1', scan.spanIdAt[i]!, scan.spanIdAt[i]! + 8)
    const [start, end] = [scan.spanStart[i]!, scan.spanEnd[i]!]
    if (star >= 0 && star < start) star = bytes.indexOf(STARS, start)
    const hasStar = star >= start && star < end
    const isEnded = scan.endNano[i] !== 0n
    if (((spans.get(text) ?? 0) & ENDED) !== 0) continue
    if (!isEnded && spans.has(text)) continue
    spans.set(text, hashContent(view, start, end) * 4 + (isEnded ? ENDED : 0) + (hasStar ? MAY_BE_REDACTED : 0))
  }
  return spans
}

function textOf(ref: Uint8Array): string {
  return Buffer.from(ref.buffer, ref.byteOffset, ref.length).toString('latin1')
}
