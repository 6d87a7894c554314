import type { AttributeFilter } from '../../otlp/attribute-filter.ts'
import { decodeTraces } from '../../otlp/decode-traces.ts'
import type { SpanInContext } from '../../otlp/model.ts'
import { scanLogs } from '../../otlp/scan-logs.ts'
import { scanTraces, type TraceScan } from '../../otlp/scan-traces.ts'
import { decodeLogsAsSpans } from '../../span/log-as-span.ts'

/** What a segment holds: one request of spans or of kept log records. */
export type RecordKind = 'span' | 'log'

/** How the records of a segment are found and read; rows and decoded records are in the same order. */
export interface RecordCodec {
  scan(body: Uint8Array): TraceScan
  decode(body: Uint8Array, filter?: AttributeFilter): Generator<SpanInContext>
}

/** Stored bodies were checked at the door with their sender's limit; none deeper than this can be in the store. */
const STORED = { anyValueDepthMax: 1024 }

const CODECS: { readonly [kind in RecordKind]: RecordCodec } = {
  span: { scan: (body) => scanTraces(body, STORED), decode: decodeTraces },
  log: { scan: (body) => scanLogs(body, STORED), decode: decodeLogsAsSpans },
}

export function codecOf(kind: RecordKind): RecordCodec {
  return CODECS[kind]
}
