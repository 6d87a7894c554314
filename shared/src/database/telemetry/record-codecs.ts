import type { AttributeFilter } from '../../otlp/attribute-filter.ts'
import { decodeTraces } from '../../otlp/decode-traces.ts'
import { findTraceId } from '../../otlp/find-trace-id.ts'
import type { SpanInContext } from '../../otlp/model.ts'
import { rewriteTraces } from '../../otlp/rewrite-traces.ts'
import { scanLogs } from '../../otlp/scan-logs.ts'
import { scanTraces, type TraceScan } from '../../otlp/scan-traces.ts'
import { readSpanHead, type SpanHead } from '../../otlp/span-head.ts'
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
  /** The records of these rows in order; the others are passed over. */
  rows(body: Uint8Array, wanted: ReadonlySet<number>, filter?: AttributeFilter): Generator<PickedRecord>
}

export interface RecordHead extends SpanHead {
  row: number
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
  span: { scan: (body) => scanTraces(body, STORED), decode: decodeTraces, pick: pickSpans, heads: spanHeads, rows: spanRows },
  log: { scan: (body) => scanLogs(body, STORED), decode: decodeLogsAsSpans, pick: pickLogs, heads: logHeads, rows: logRows },
}

export function codecOf(kind: RecordKind): RecordCodec {
  return CODECS[kind]
}

function* pickSpans(body: Uint8Array, wantsTrace: WantsTrace, filter?: AttributeFilter): Generator<PickedRecord> {
  let row = -1
  const wants = (bytes: Uint8Array, start: number, end: number) => {
    row++
    const traceIdAt = findTraceId(bytes, start, end)
    return traceIdAt !== ABSENT && wantsTrace(bytes, traceIdAt)
  }
  for (const ctx of decodeTraces(body, filter, wants)) yield { row, ctx }
}

function spanHeads(body: Uint8Array, wantsTrace: WantsTrace): RecordHead[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const heads: RecordHead[] = []
  let row = -1
  const note = (bytes: Uint8Array, start: number, end: number) => {
    row++
    const traceIdAt = findTraceId(bytes, start, end)
    if (traceIdAt !== ABSENT && wantsTrace(bytes, traceIdAt)) heads.push({ row, ...readSpanHead(bytes, view, [start, end]) })
    return false
  }
  // Nothing is wanted of it but the walk.
  for (const _ of decodeTraces(body, undefined, note));
  return heads
}

function* spanRows(body: Uint8Array, wanted: ReadonlySet<number>, filter?: AttributeFilter): Generator<PickedRecord> {
  let row = -1
  for (const ctx of decodeTraces(body, filter, () => wanted.has(++row))) yield { row, ctx }
}

function logHeads(body: Uint8Array, wantsTrace: WantsTrace): RecordHead[] {
  const { count, traceIdAt, spanIdAt, startNano, endNano } = scanLogs(body, STORED)
  const heads: RecordHead[] = []
  for (let row = 0; row < count; row++) {
    if (!wantsTrace(body, traceIdAt[row]!)) continue
    const times = { startUnixNano: startNano[row]!, endUnixNano: endNano[row]! }
    heads.push({ row, traceIdAt: traceIdAt[row]!, spanIdAt: spanIdAt[row]!, ...times })
  }
  return heads
}

function* logRows(body: Uint8Array, wanted: ReadonlySet<number>, filter?: AttributeFilter): Generator<PickedRecord> {
  const scan = scanLogs(body, STORED)
  const drop = new Uint8Array(scan.count).fill(1)
  for (const row of wanted) drop[row] = 0
  const rows = [...wanted].sort((a, b) => a - b)
  let at = 0
  for (const ctx of decodeLogsAsSpans(rewriteTraces(body, scan, drop), filter)) yield { row: rows[at++]!, ctx }
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
