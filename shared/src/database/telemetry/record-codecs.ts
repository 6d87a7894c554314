import type { AttributeFilter } from '../../otlp/attribute-filter.ts'
import { decodeTraces } from '../../otlp/decode-traces.ts'
import { findTraceId } from '../../otlp/find-trace-id.ts'
import type { SpanInContext } from '../../otlp/model.ts'
import { rewriteTraces } from '../../otlp/rewrite-traces.ts'
import { scanLogs } from '../../otlp/scan-logs.ts'
import { scanTraces, type TraceScan } from '../../otlp/scan-traces.ts'
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
  span: { scan: (body) => scanTraces(body, STORED), decode: decodeTraces, pick: pickSpans },
  log: { scan: (body) => scanLogs(body, STORED), decode: decodeLogsAsSpans, pick: pickLogs },
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
