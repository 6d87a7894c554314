import { countRecords } from '@loopkit/shared/otlp/count-records'
import { OtlpDecodeError } from '@loopkit/shared/otlp/decode-error'
import { scanTraces, type TraceScan } from '@loopkit/shared/otlp/scan-traces'
import { type TranscodeMemory, transcodeTracesJson } from '@loopkit/shared/otlp/transcode-json'
import type { Compression } from '../receive/content-encoding.ts'
import { type Encoding, type Refusal, refused, type Signal } from '../receive/outcome.ts'
import { decompress } from './decompress.ts'
import type { SpanKeyer, SpanKeys } from './span-keys.ts'

export interface DecodeLimits {
  bodyMaxBytes: number
  anyValueDepthMax: number
  jsonDepthMax: number
  jsonValuesMax: number
  /** Spans of one body; what dedupe has room for. */
  bodyMaxSpans: number
}

/** A body as it came, and whose it is. */
export interface RawBody {
  signal: Signal
  encoding: Encoding
  compression: Compression
  projectNo: number
  bytes: Uint8Array
}

/** A span that could not even be put into protobuf. */
export interface RejectedSpan {
  reason: string
  /** As sent, cut. */
  traceId: string
}

/** A body of traces after decoding: protobuf, walked, with the keys of its spans. */
export interface PreparedTraces {
  kind: 'traces'
  body: Uint8Array
  scan: TraceScan
  keys: SpanKeys
  rejected: RejectedSpan[]
}

/** Logs and metrics are counted, not kept. */
export interface PreparedCount {
  kind: 'count'
  records: number
}

export type Prepared = PreparedTraces | PreparedCount | Refusal

/**
 * Everything about a body that needs nothing but its bytes: decompress, transcode JSON, walk, hash. The same function
 * runs on the main thread for small plain protobuf and in a worker for the rest. A body that cannot be read is refused;
 * any other error is thrown. `memory` is for the protobuf made of JSON.
 */
export function prepare(raw: RawBody, limits: DecodeLimits, keyer: SpanKeyer, memory?: TranscodeMemory): Prepared {
  const plain = decompress(raw.bytes, raw.compression, limits.bodyMaxBytes)
  if (!(plain instanceof Uint8Array)) return plain
  try {
    return raw.signal === 'traces' ? prepareTraces(plain, raw, limits, keyer, memory) : prepareCount(plain, raw, limits)
  } catch (error) {
    if (!(error instanceof OtlpDecodeError)) throw error
    return refused(error.code, error.message)
  }
}

function prepareTraces(
  plain: Uint8Array,
  { encoding, projectNo }: RawBody,
  limits: DecodeLimits,
  keyer: SpanKeyer,
  memory: TranscodeMemory | undefined,
): Prepared {
  const transcoded = encoding === 'json' ? transcodeTracesJson(plain, limits, memory) : null
  const body = transcoded?.body ?? plain
  const scan = scanTraces(body, limits)
  if (scan.count > limits.bodyMaxSpans)
    return refused('body_too_large', `a body may have at most ${limits.bodyMaxSpans} spans; send several`)
  return { kind: 'traces', body, scan, keys: keyer(projectNo, body, scan), rejected: transcoded?.rejected ?? [] }
}

function prepareCount(plain: Uint8Array, { signal, encoding }: RawBody, limits: DecodeLimits): Prepared {
  return { kind: 'count', records: countRecords(plain, signal === 'logs' ? 'logs' : 'metrics', encoding, limits) }
}
