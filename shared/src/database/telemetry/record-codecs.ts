import type { AttributeFilter } from '../../otlp/attribute-filter.ts'
import { createSpanReader, decodeTraces } from '../../otlp/decode-traces.ts'
import { findTraceId } from '../../otlp/find-trace-id.ts'
import type { SpanInContext } from '../../otlp/model.ts'
import { rewriteTraces } from '../../otlp/rewrite-traces.ts'
import { scanLogs } from '../../otlp/scan-logs.ts'
import { scanTraces, type TraceScan } from '../../otlp/scan-traces.ts'
import { readSpanHead, type SpanHead } from '../../otlp/span-head.ts'
import { type RecordBounds, walkRecords } from '../../otlp/walk-records.ts'
import { ABSENT } from '../../otlp/wire.ts'
import { decodeLogsAsSpans } from '../../span/log-as-span.ts'

/** What a segment holds: one request of spans or of kept log records. */
export type RecordKind = 'span' | 'log'

/** How the records of a segment are found and read; rows and decoded records are in the same order. */
export interface RecordCodec {
  scan(body: Uint8Array): TraceScan
  decode(body: Uint8Array, filter?: AttributeFilter): Generator<SpanInContext>
  /** Those whose trace id is wanted, with their rows; the others are passed over. */
  pick(body: Uint8Array, wantsTrace: WantsTrace, filter?: AttributeFilter): Generator<PickedRecord>
  /** Where the records of wanted traces are and when they were; none is decoded. */
  heads(body: Uint8Array, wantsTrace: WantsTrace): RecordHead[]
  /** The records of these heads, in their order; nothing else is decoded. */
  read(body: Uint8Array, heads: readonly RecordHead[], filter?: AttributeFilter): SpanInContext[]
}

export interface RecordHead extends SpanHead {
  row: number
  /** null: it is found by its row. */
  bounds: RecordBounds | null
}

/** Whether the trace whose id lies at this place is wanted. */
export type WantsTrace = (bytes: Uint8Array, traceIdAt: number) => boolean

export interface PickedRecord {
  row: number
  ctx: SpanInContext
}

/** Stored bodies were checked at the door with their sender's limit; none deeper than this can be in the store. */
const STORED = { anyValueDepthMax: 1024 }

const CODECS: { readonly [kind in RecordKind]: RecordCodec } = {
  span: { scan: (body) => scanTraces(body, STORED), decode: decodeTraces, pick: pickSpans, heads: spanHeads, read: readSpansAt },
  log: { scan: (body) => scanLogs(body, STORED), decode: decodeLogsAsSpans, pick: pickLogs, heads: logHeads, read: readLogsAt },
}

export function codecOf(kind: RecordKind): RecordCodec {
  return CODECS[kind]
}

/** Finds them all first: the walk makes nothing, and what is decoded is decoded where it lies. */
function* pickSpans(body: Uint8Array, wantsTrace: WantsTrace, filter?: AttributeFilter): Generator<PickedRecord> {
  const wanted: { row: number; bounds: RecordBounds }[] = []
  let row = -1
  walkRecords(body, (start, end, envelope) => {
    row++
    const traceIdAt = findTraceId(body, start, end)
    if (traceIdAt !== ABSENT && wantsTrace(body, traceIdAt)) wanted.push({ row, bounds: { start, end, envelope } })
  })
  const read = createSpanReader(body, filter)
  for (const { row: at, bounds } of wanted) yield { row: at, ctx: read(bounds) }
}

function spanHeads(body: Uint8Array, wantsTrace: WantsTrace): RecordHead[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const heads: RecordHead[] = []
  let row = -1
  walkRecords(body, (start, end, envelope) => {
    row++
    const traceIdAt = findTraceId(body, start, end)
    if (traceIdAt === ABSENT || !wantsTrace(body, traceIdAt)) return
    const { spanIdAt, startUnixNano, endUnixNano } = readSpanHead(body, view, start, end)
    heads.push({ row, bounds: { start, end, envelope }, traceIdAt, spanIdAt, startUnixNano, endUnixNano })
  })
  return heads
}

function readSpansAt(body: Uint8Array, heads: readonly RecordHead[], filter?: AttributeFilter): SpanInContext[] {
  const read = createSpanReader(body, filter)
  return heads.map(({ bounds }) => read(bounds!))
}

function logHeads(body: Uint8Array, wantsTrace: WantsTrace): RecordHead[] {
  const { count, traceIdAt, spanIdAt, startNano, endNano } = scanLogs(body, STORED)
  const heads: RecordHead[] = []
  for (let row = 0; row < count; row++) {
    if (!wantsTrace(body, traceIdAt[row]!)) continue
    const times = { startUnixNano: startNano[row]!, endUnixNano: endNano[row]! }
    heads.push({ row, bounds: null, traceIdAt: traceIdAt[row]!, spanIdAt: spanIdAt[row]!, ...times })
  }
  return heads
}

function readLogsAt(body: Uint8Array, heads: readonly RecordHead[], filter?: AttributeFilter): SpanInContext[] {
  const scan = scanLogs(body, STORED)
  const drop = new Uint8Array(scan.count).fill(1)
  for (const { row } of heads) drop[row] = 0
  const rows = heads.map(({ row }) => row).sort((a, b) => a - b)
  const decoded = new Map([...decodeLogsAsSpans(rewriteTraces(body, scan, drop), filter)].map((ctx, at) => [rows[at]!, ctx]))
  return heads.flatMap(({ row }) => decoded.get(row) ?? [])
}

/** The trace of a log record is not always a field of its own, so all of them are scanned. */
function* pickLogs(body: Uint8Array, wantsTrace: WantsTrace, filter?: AttributeFilter): Generator<PickedRecord> {
  const scan = scanLogs(body, STORED)
  const drop = new Uint8Array(scan.count)
  const rows: number[] = []
  for (let i = 0; i < scan.count; i++) {
    if (wantsTrace(body, scan.traceIdAt[i]!)) rows.push(i)
    else drop[i] = 1
  }
  let at = 0
  for (const ctx of decodeLogsAsSpans(rewriteTraces(body, scan, drop), filter)) yield { row: rows[at++]!, ctx }
}
