import { readTag, skipField, varintEnd } from '@loopkit/shared/otlp/wire'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'

/**
 * A body that is encoded once and made new before each sending: every id is changed and every time moved where it lies, so that
 * no two spans of a run are the same and the sender costs little. Can be moved to a thread.
 */
export interface LoadTemplate {
  encoding: 'protobuf' | 'json'
  bytes: Uint8Array
  spans: number
  /** Where trace ids, span ids and times begin. */
  traceIdsAt: Uint32Array
  spanIdsAt: Uint32Array
  timesAt: Uint32Array
  /** Whole seconds and nanoseconds of each time. */
  seconds: Float64Array
  nanos: Uint32Array
}

interface Places {
  traceIds: number[]
  spanIds: number[]
  times: { at: number; nano: bigint }[]
}

const SECOND_NANOS = 1_000_000_000n

/** The newest time of the request becomes `nowNano`; the distances between its times stay. */
export function createLoadTemplate(request: TraceRequestJson, encoding: LoadTemplate['encoding'], nowNano: bigint): LoadTemplate {
  const bytes = encoding === 'json' ? Buffer.from(JSON.stringify(request)) : Buffer.from(encodeTraceRequest(request))
  const places: Places = { traceIds: [], spanIds: [], times: [] }
  if (encoding === 'json') findInJson(bytes, places)
  else findInProtobuf(bytes, places)
  const newest = newestOf(places.times)
  const moved = places.times.map(({ nano }) => nano + nowNano - newest)
  return {
    encoding,
    bytes: new Uint8Array(bytes),
    spans: request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)).length,
    traceIdsAt: Uint32Array.from(places.traceIds),
    spanIdsAt: Uint32Array.from(places.spanIds),
    timesAt: Uint32Array.from(places.times, ({ at }) => at),
    seconds: Float64Array.from(moved, (nano) => Number(nano / SECOND_NANOS)),
    nanos: Uint32Array.from(moved, (nano) => Number(nano % SECOND_NANOS)),
  }
}

function newestOf(times: Places['times']): bigint {
  let newest = 0n
  for (const { nano } of times) if (nano > newest) newest = nano
  return newest
}

function findInJson(bytes: Buffer, { traceIds, spanIds, times }: Places): void {
  // Latin-1 has a character for every byte, so that a place in the text is a place in the bytes.
  const text = bytes.toString('latin1')
  const field = /"(?:(traceId)|(spanId|parentSpanId)|\w*[tT]imeUnixNano)":"([0-9a-fA-F]{16,32})"/g
  for (const { 0: whole, 1: trace, 2: span, 3: value, index } of text.matchAll(field)) {
    const at = index + whole.length - 1 - value!.length
    if (trace) traceIds.push(at)
    else if (span) spanIds.push(at)
    else if (value!.length === 19) times.push({ at, nano: BigInt(value!) })
  }
}

/** What lies under a field of a message: an id or a time, or a message with such. */
type Under = 'trace' | 'span' | 'time' | { [tag: number]: Under }

const LINK: Under = { 10: 'trace', 18: 'span' }
const SPAN: Under = { 10: 'trace', 18: 'span', 34: 'span', 57: 'time', 65: 'time', 90: { 9: 'time' }, 106: LINK }
const REQUEST: Under = { 10: { 18: { 18: SPAN } } }

function findInProtobuf(bytes: Buffer, places: Places): void {
  const visit = (under: Under, start: number, end: number): void => {
    if (under === 'time') places.times.push({ at: start, nano: bytes.readBigUInt64LE(start) })
    else if (under === 'trace' && end - start === 16) places.traceIds.push(start)
    else if (under === 'span' && end - start === 8) places.spanIds.push(start)
    if (typeof under === 'string') return
    for (let p = start; p < end; ) {
      const tag = readTag(bytes, p, end)
      p = varintEnd(bytes, p, end)
      const next = skipField(bytes, tag, p, end)
      const inner = under[tag]
      if (inner !== undefined) visit(inner, (tag & 7) === 2 ? varintEnd(bytes, p, end) : p, next)
      p = next
    }
  }
  visit(REQUEST, 0, bytes.length)
}
