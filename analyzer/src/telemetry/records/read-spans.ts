import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { codecOf, type RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { type OpenedSegment, openStoredSegment, type UnpackSegment } from '@loopkit/shared/database/telemetry/segment-damage'
import type { AttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import { rewriteTraces } from '@loopkit/shared/otlp/rewrite-traces'
import type { TraceScan } from '@loopkit/shared/otlp/scan-traces'
import { createCommitOfRow, type SegmentCommit } from '@loopkit/shared/segment/header'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { TelemetryConnection } from '../telemetry-file.ts'

export interface SegmentRow {
  kind: RecordKind
  body: Uint8Array
  body_bytes: number
  commits: Uint8Array
}

export interface SpanId {
  traceId: Uint8Array
  spanId: Uint8Array
}

/** Every span or log record of a segment in the order of its commits, each with its arrival; null: it is damaged. */
export function spansOfSegment(row: SegmentRow, unpack: UnpackSegment, filter?: AttributeFilter): Generator<StoredSpan> | null {
  const opened = openStoredSegment(row, unpack)
  return opened && spansOf(row, opened, filter)
}

export function* spansOf(row: SegmentRow, opened: OpenedSegment, filter?: AttributeFilter): Generator<StoredSpan> {
  const arrival = createArrival(opened.commits)
  let at = 0
  for (const ctx of codecOf(row.kind).decode(opened.body, filter)) yield { ctx, ...arrival(at++) }
}

/** The spans of a segment at these rows, decoded whole; the others are not decoded at all. */
export function pickSpans(row: SegmentRow, unpack: UnpackSegment, wanted: ReadonlySet<number>): StoredSpan[] {
  const opened = openSegment(row, unpack)
  return opened === null ? [] : pickRows(opened, wanted, undefined)
}

export interface OpenSegment {
  kind: RecordKind
  body: Uint8Array
  scan: TraceScan
  arrival: Arrival
}

/** null: it is damaged. */
export function openSegment({ kind, ...row }: SegmentRow, unpack: UnpackSegment): OpenSegment | null {
  const opened = openStoredSegment(row, unpack)
  return opened && { kind, body: opened.body, scan: codecOf(kind).scan(opened.body), arrival: createArrival(opened.commits) }
}

/** Its records at these rows, in the order of the rows; the others are not decoded at all. */
export function pickRows(
  { kind, body, scan, arrival }: OpenSegment,
  wanted: ReadonlySet<number>,
  filter: AttributeFilter | undefined,
): StoredSpan[] {
  const drop = new Uint8Array(scan.count).fill(1)
  for (const at of wanted) drop[at] = 0
  const rows = [...wanted].sort((a, b) => a - b)
  const decoded = codecOf(kind).decode(rewriteTraces(body, scan, drop), filter)
  return [...decoded].map((ctx, at) => ({ ctx, ...arrival(rows[at]!) }))
}

type Arrival = (row: number) => { receivedMs: number; commit: number }

function createArrival(commits: readonly SegmentCommit[]): Arrival {
  const commitOf = createCommitOfRow(commits)
  return (row) => {
    const { receivedMs, number } = commitOf(row)
    return { receivedMs, commit: number }
  }
}

/**
 * Exactly these spans and log records, by record id; one that is not stored has no entry. Nothing else of their traces is decoded, so a few spans
 * of a huge trace cost little. Of two versions the ended one wins, else the first to arrive.
 */
export function readSpans(
  { db, hasher, index, segments }: TelemetryConnection,
  projectNo: number,
  ids: readonly SpanId[],
  filter?: AttributeFilter,
): Map<string, StoredSpan> {
  const found = new Map<string, StoredSpan>()
  if (ids.length === 0) return found
  const wanted = createWanted(ids)
  const hashes = [...new Set(ids.map(({ traceId }) => hasher(projectNo, traceId)))]
  const load = db.prepare('select kind, body, body_bytes, commits from segment where segment_id = ?')
  for (const { segmentId } of index.find(projectNo, hashes)) {
    const row = load.get(segmentId) as SegmentRow | undefined
    if (!row) continue
    const opened = openSegment(row, segments.open)
    if (opened === null) continue
    for (const stored of pickRows(opened, rowsNamed(opened, wanted), filter)) keepWinner(found, stored)
  }
  return found
}

function keepWinner(found: Map<string, StoredSpan>, stored: StoredSpan): void {
  const { traceId, spanId, endUnixNano } = stored.ctx.span
  const recordId = encodeRecordId(traceId, spanId)
  const before = found.get(recordId)
  if (!before || (before.ctx.span.endUnixNano === 0n && endUnixNano !== 0n)) found.set(recordId, stored)
}

interface WantedSpans {
  names: ReadonlySet<string>
  /** Four bytes of each span id: they tell nearly all others apart before any text is made. */
  ends: ReadonlySet<number>
}

function createWanted(ids: readonly SpanId[]): WantedSpans {
  return { names: new Set(ids.map(nameOf)), ends: new Set(ids.map(({ spanId }) => wordAt(spanId, 4))) }
}

function rowsNamed(opened: OpenSegment, { names, ends }: WantedSpans): Set<number> {
  const { body, scan } = opened
  const rows = new Set<number>()
  for (let at = 0; at < scan.count; at++)
    if (ends.has(wordAt(body, scan.spanIdAt[at]! + 4)) && names.has(rowName(opened, at))) rows.add(at)
  return rows
}

export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** Trace and span id of a row as text. */
export function rowName({ body, scan }: OpenSegment, at: number): string {
  const [trace, span] = [scan.traceIdAt[at]!, scan.spanIdAt[at]!]
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return bytes.toString('latin1', trace, trace + 16) + bytes.toString('latin1', span, span + 8)
}

/** Trace and span id as text: cheaper than a record id. */
export function nameOf({ traceId, spanId }: SpanId): string {
  return textOf(traceId) + textOf(spanId)
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
