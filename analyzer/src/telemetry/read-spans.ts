import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { codecOf, type RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { openStoredSegment } from '@loopkit/shared/database/telemetry/segment-damage'
import type { AttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import { rewriteTraces } from '@loopkit/shared/otlp/rewrite-traces'
import type { TraceScan } from '@loopkit/shared/otlp/scan-traces'
import { createCommitOfRow, type SegmentCommit } from '@loopkit/shared/segment/header'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { TelemetryConnection } from './telemetry-file.ts'

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

/** Every span or log record of a segment in the order of its commits, each with its arrival. */
export function* spansOfSegment(row: SegmentRow, filter?: AttributeFilter): Generator<StoredSpan> {
  const opened = openStoredSegment(row)
  if (opened === null) return
  const arrival = createArrival(opened.commits)
  let at = 0
  for (const ctx of codecOf(row.kind).decode(opened.body, filter)) yield { ctx, ...arrival(at++) }
}

/** The spans of a segment at these rows, decoded whole; the others are not decoded at all. */
export function pickSpans(row: SegmentRow, wanted: ReadonlySet<number>, filter?: AttributeFilter): StoredSpan[] {
  const opened = openSegment(row)
  return opened === null ? [] : pickRows(opened, row, wanted, filter)
}

interface OpenSegment {
  body: Uint8Array
  commits: SegmentCommit[]
  scan: TraceScan
}

/** null: it is damaged. */
function openSegment(row: SegmentRow): OpenSegment | null {
  const opened = openStoredSegment(row)
  return opened && { ...opened, scan: codecOf(row.kind).scan(opened.body) }
}

function pickRows(
  { body, scan, commits }: OpenSegment,
  row: SegmentRow,
  wanted: ReadonlySet<number>,
  filter: AttributeFilter | undefined,
): StoredSpan[] {
  const drop = new Uint8Array(scan.count).fill(1)
  for (const at of wanted) drop[at] = 0
  const arrival = createArrival(commits)
  const rows = [...wanted].sort((a, b) => a - b)
  const decoded = codecOf(row.kind).decode(rewriteTraces(body, scan, drop), filter)
  return [...decoded].map((ctx, at) => ({ ctx, ...arrival(rows[at]!) }))
}

function createArrival(commits: readonly SegmentCommit[]): (row: number) => { receivedMs: number; commit: number } {
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
  { db, hasher, index }: TelemetryConnection,
  projectNo: number,
  ids: readonly SpanId[],
  filter?: AttributeFilter,
): Map<string, StoredSpan> {
  const found = new Map<string, StoredSpan>()
  if (ids.length === 0) return found
  const wanted = new Set(ids.map(({ traceId, spanId }) => nameOf(traceId, spanId)))
  const hashes = [...new Set(ids.map(({ traceId }) => hasher(projectNo, traceId)))]
  const load = db.prepare('select kind, body, body_bytes, commits from segment where segment_id = ?')
  for (const { segmentId } of index.find(projectNo, hashes)) {
    const row = load.get(segmentId) as SegmentRow | undefined
    if (!row) continue
    const opened = openSegment(row)
    if (opened === null) continue
    for (const stored of pickRows(opened, row, rowsNamed(opened, wanted), filter)) keepWinner(found, stored)
  }
  return found
}

function keepWinner(found: Map<string, StoredSpan>, stored: StoredSpan): void {
  const { traceId, spanId, endUnixNano } = stored.ctx.span
  const recordId = encodeRecordId(traceId, spanId)
  const before = found.get(recordId)
  if (!before || (before.ctx.span.endUnixNano === 0n && endUnixNano !== 0n)) found.set(recordId, stored)
}

function rowsNamed({ body, scan }: OpenSegment, wanted: ReadonlySet<string>): Set<number> {
  const rows = new Set<number>()
  for (let at = 0; at < scan.count; at++) {
    const trace = scan.traceIdAt[at]!
    const span = scan.spanIdAt[at]!
    if (wanted.has(nameOf(body.subarray(trace, trace + 16), body.subarray(span, span + 8)))) rows.add(at)
  }
  return rows
}

function nameOf(traceId: Uint8Array, spanId: Uint8Array): string {
  return Buffer.from(traceId).toString('latin1') + Buffer.from(spanId).toString('latin1')
}
