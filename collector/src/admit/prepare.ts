import type { RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { countRecords } from '@loopkit/shared/otlp/count-records'
import { OtlpDecodeError } from '@loopkit/shared/otlp/decode-error'
import { freeMemory } from '@loopkit/shared/otlp/free-memory'
import { scanTraces, type TraceScan } from '@loopkit/shared/otlp/scan-traces'
import { type TranscodeMemory, transcodeLogsJson, transcodeTracesJson } from '@loopkit/shared/otlp/transcode-json'
import { type KeptLogs, keepLogs } from '@loopkit/shared/span/keep-logs'
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

/** Records that were refused before they could be judged: they cannot even be put into protobuf, or are logs. */
export interface RejectedRecords {
  reason: string
  /** As sent, cut; '' for several at once. */
  traceId: string
  count: number
}

/** A body of spans or of log records after decoding: protobuf, walked, with the keys of its records. */
export interface PreparedTraces {
  kind: 'traces'
  recordKind: RecordKind
  body: Uint8Array
  scan: TraceScan
  keys: SpanKeys
  rejected: RejectedRecords[]
  /** Log records that tell of no error: counted, and left out of the body. */
  notKept: number
  /** What the sender should know although nothing of it was refused; '' for nothing. */
  hint: string
}

/** A body of which nothing is kept: metrics, log records that tell of no error. */
export interface PreparedCount {
  kind: 'count'
  records: number
  hint: string
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
  const prepared = prepareRead(plain, raw, limits, keyer, memory)
  const isKept = prepared.kind === 'traces' && prepared.body.buffer === plain.buffer
  // What was decompressed has served once it was transcoded or counted.
  if (plain.buffer !== raw.bytes.buffer && !isKept) freeMemory(plain)
  return prepared
}

function prepareRead(
  plain: Uint8Array,
  raw: RawBody,
  limits: DecodeLimits,
  keyer: SpanKeyer,
  memory: TranscodeMemory | undefined,
): Prepared {
  try {
    if (raw.signal === 'metrics') return prepareCount(plain, raw, limits)
    return raw.signal === 'traces'
      ? prepareTraces(plain, raw, limits, keyer, memory)
      : prepareLogs(plain, raw, limits, keyer, memory)
  } catch (error) {
    if (!(error instanceof OtlpDecodeError)) throw error
    return refused(error.code, `${error.message}${otherEncodingHint(plain, raw.encoding)}`)
  }
}

const OPEN_BRACE = 0x7b
/** Field 1, which every request begins with. */
const FIRST_TAG = 0x0a

function otherEncodingHint(plain: Uint8Array, encoding: Encoding): string {
  if (encoding === 'protobuf' && plain[0] === OPEN_BRACE) return '; this looks like JSON, whose Content-Type is application/json'
  return encoding === 'json' && plain[0] === FIRST_TAG && plain[1] !== FIRST_TAG && plain[1] !== OPEN_BRACE
    ? '; this looks like protobuf, whose Content-Type is application/x-protobuf'
    : ''
}

function foreignHint(foreign: Signal | null | undefined): string {
  return foreign ? `this body is of ${foreign}, which go to /v1/${foreign}; nothing of it was read here` : ''
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
  const rejected = (transcoded?.rejected ?? []).map(one)
  const hint = foreignHint(transcoded?.foreign)
  return { kind: 'traces', recordKind: 'span', body, scan, keys: keyer(projectNo, body, scan), rejected, notKept: 0, hint }
}

function prepareLogs(
  plain: Uint8Array,
  { encoding, projectNo }: RawBody,
  limits: DecodeLimits,
  keyer: SpanKeyer,
  memory: TranscodeMemory | undefined,
): Prepared {
  const transcoded = encoding === 'json' ? transcodeLogsJson(plain, limits, memory) : null
  const { body, scan, notKept, refused: refusedLogs } = keepLogs(transcoded?.body ?? plain, limits)
  const rejected = [...(transcoded?.rejected ?? []).map(one), ...refusedLogs.flatMap(named)]
  const hint = foreignHint(transcoded?.foreign)
  if (scan.count === 0 && rejected.length === 0) return { kind: 'count', records: notKept, hint }
  if (scan.count > limits.bodyMaxSpans)
    return refused('body_too_large', `a body may have at most ${limits.bodyMaxSpans} log records of errors; send several`)
  return { kind: 'traces', recordKind: 'log', body, scan, keys: keyer(projectNo, body, scan), rejected, notKept, hint }
}

function one(rejected: { reason: string; traceId: string }): RejectedRecords {
  return { ...rejected, count: 1 }
}

function named({ reason, count, traceIds }: KeptLogs['refused'][number]): RejectedRecords[] {
  const rest = { reason, traceId: '', count: count - traceIds.length }
  return [...traceIds.map((traceId) => ({ reason, traceId, count: 1 })), ...(rest.count > 0 ? [rest] : [])]
}

function prepareCount(plain: Uint8Array, { encoding }: RawBody, limits: DecodeLimits): Prepared {
  return { kind: 'count', records: countRecords(plain, 'metrics', encoding, limits), hint: '' }
}
