import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'

export interface LoadBody {
  encoding: 'protobuf' | 'json'
  bytes: Buffer
  /** Where each trace id begins. */
  traceIdsAt: number[]
  spans: number
}

/** A body that is encoded once and made new before each sending by changing its trace ids where they lie. */
export function createLoadBody(request: TraceRequestJson, encoding: LoadBody['encoding']): LoadBody {
  const bytes = encoding === 'json' ? Buffer.from(JSON.stringify(request)) : Buffer.from(encodeTraceRequest(request))
  const spans = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  const traceIdsAt: number[] = []
  for (const traceId of new Set(spans.map((span) => span.traceId))) {
    const wanted = encoding === 'json' ? Buffer.from(traceId) : Buffer.from(traceId, 'hex')
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length)) traceIdsAt.push(at)
  }
  return { encoding, bytes, traceIdsAt, spans: spans.length }
}

/** A copy in which no trace was ever sent: the first four bytes of every trace id say the number of the sending. */
export function renew({ encoding, bytes, traceIdsAt }: LoadBody, sending: number): Buffer {
  const copy = Buffer.from(bytes)
  const digits = sending.toString(16).padStart(8, '0')
  for (const at of traceIdsAt) {
    if (encoding === 'json') copy.write(digits, at, 'latin1')
    else copy.writeUInt32BE(sending, at)
  }
  return copy
}
