import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { codecOf, type RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { openStoredSegment, type StoredSegment } from '@loopkit/shared/database/telemetry/segment-damage'
import type { TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import { createTraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import { STORED } from './admission.ts'

/** Bytes of a trace id and a span id together. */
export const SPAN_REF_BYTES = 24

/** Answers, per span asked for, whether the store has it: one of STORED. */
export type StoredSpans = (projectNo: number, refs: Uint8Array) => Uint8Array

/** Spans of segments opened lately, kept because the rest of a trace mostly asks for the same ones. */
const CACHED_SPANS_MAX = 200_000

/** Ids as text → whether the span had ended. */
type SegmentSpans = Map<string, boolean>

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
    const spans = opened ? readSpans(opened.body, kind) : new Map<string, boolean>()
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
      const text = textOf(ref)
      asked.set(text, [...(asked.get(text) ?? []), n])
    }
    for (const { segmentId, kind } of index.find(projectNo, [...hashes])) {
      const spans = spansOf(segmentId, kind)
      for (const [text, rows] of asked) {
        const ended = spans.get(text)
        if (ended === undefined) continue
        for (const n of rows) answer[n] = Math.max(answer[n]!, ended ? STORED.ended : STORED.unended)
      }
    }
    return answer
  }

  // One moment: a merge between finding a segment and opening it would hide what it holds.
  return db.transaction(find)
}

function readSpans(body: Uint8Array, kind: RecordKind): SegmentSpans {
  const scan = codecOf(kind).scan(body)
  const spans: SegmentSpans = new Map()
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  for (let i = 0; i < scan.count; i++) {
    const text =
      bytes.toString('latin1', scan.traceIdAt[i]!, scan.traceIdAt[i]! + 16) +
      bytes.toString('latin1', scan.spanIdAt[i]!, scan.spanIdAt[i]! + 8)
    spans.set(text, (spans.get(text) ?? false) || scan.endNano[i] !== 0n)
  }
  return spans
}

function textOf(ref: Uint8Array): string {
  return Buffer.from(ref.buffer, ref.byteOffset, ref.length).toString('latin1')
}
