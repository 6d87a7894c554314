import { decodeLogs } from '@loopkit/shared/otlp/decode-logs'
import { decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { toLogsJson } from '@loopkit/shared/otlp/fixtures/arbitrary-logs'
import { toJson } from '@loopkit/shared/otlp/fixtures/json-spans'
import { LOG_RECORD_ID_KEY } from '@loopkit/shared/otlp/log-keys'
import type { LogInContext, SpanInContext } from '@loopkit/shared/otlp/model'
import type { PreparedTraces } from '../../collector/src/admit/prepare.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { promise } from './broken-promise.ts'
import { firstDifference } from './equal-values.ts'
import type { ProductPath } from './product-path.ts'

/** What was stored, written as JSON in one of its spellings, is read as the same spans. */
export function checkBothWays(path: ProductPath, spans: readonly SpanInContext[], n: number): void {
  if (!spans.every(({ span }) => span.links.every(hasWholeIds))) return
  const prepared = path.prepare({ signal: 'traces', encoding: 'json', bytes: toJson(spans, spellingOf(n)) })
  if (prepared.kind !== 'traces') {
    promise(false, `what was accepted as protobuf is ${'code' in prepared ? prepared.code : prepared.kind} as JSON`)
    return
  }
  promise(prepared.rejected.length === 0, 'a span accepted as protobuf is rejected as JSON')
  const difference = firstDifference(spans, [...decodeTraces(prepared.body)])
  promise(difference === null, `the encodings differ in ${difference}`)
}

const spellingOf = (n: number) => ({
  snakeCase: (n & 8) > 0,
  bareIntegers: (n & 16) > 0,
  escaped: (n & 32) > 0,
  spaced: (n & 64) > 0,
})

/** As `checkBothWays`, for kept log records. The name that the door gives a record is its own. */
export function checkLogsBothWays(path: ProductPath, body: Uint8Array, n: number): void {
  const logs = withoutNames(body)
  if (!logs.every(({ log }) => hasWholeIds(log))) return
  const prepared = path.prepare({ signal: 'logs', encoding: 'json', bytes: toLogsJson(logs, spellingOf(n)) })
  if (prepared.kind !== 'traces') {
    promise(false, `what was kept as protobuf is ${'code' in prepared ? prepared.code : prepared.kind} as JSON`)
    return
  }
  promise(prepared.rejected.length + prepared.notKept === 0, 'a log record kept as protobuf is not kept as JSON')
  const difference = firstDifference(logs, withoutNames(prepared.body))
  promise(difference === null, `the encodings differ in ${difference}`)
}

function withoutNames(body: Uint8Array): LogInContext[] {
  return [...decodeLogs(body)].map((ctx) => {
    ctx.log.attributes.delete(LOG_RECORD_ID_KEY)
    return ctx
  })
}

/** JSON has no ids of another length: their text would be hashed. An id of zeros is none. */
function hasWholeIds({ traceId, spanId }: { traceId: Uint8Array; spanId: Uint8Array }): boolean {
  const isWhole = (id: Uint8Array, size: number) => id.length === 0 || (id.length === size && id.some((byte) => byte !== 0))
  return isWhole(traceId, 16) && isWhole(spanId, 8)
}

/** The same request in both encodings, by an encoder apart from the product's: the same spans stored, the same rejected. */
export function checkSameRequest(path: ProductPath, request: TraceRequestJson): { spans: number; rejected: number } {
  const asProtobuf = path.prepare({ signal: 'traces', encoding: 'protobuf', bytes: Buffer.from(encodeTraceRequest(request)) })
  const protobuf = outcomeOf(asProtobuf)
  const json = outcomeOf(path.prepare({ signal: 'traces', encoding: 'json', bytes: Buffer.from(JSON.stringify(request)) }))
  promise(protobuf.refused === null && json.refused === null, `refused as ${protobuf.refused ?? json.refused}`)
  const difference = firstDifference(protobuf, json)
  promise(difference === null, `the encodings differ in ${difference}`)
  const sent = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)).length
  const { accepted, reasons } = protobuf
  promise(sent === accepted.length + reasons.length, 'other spans were read than were sent')
  return { spans: accepted.length, rejected: reasons.length }
}

function outcomeOf(prepared: ReturnType<ProductPath['prepare']>) {
  if (prepared.kind !== 'traces')
    return { refused: 'code' in prepared ? prepared.code : prepared.kind, accepted: [], reasons: [] }
  const { reject } = prepared.scan
  return {
    refused: null,
    accepted: [...decodeTraces(prepared.body)].filter((_, row) => reject[row] === 0),
    reasons: reasonsOf(prepared),
  }
}

/** Whether an id is empty or all zero is told apart in protobuf only: JSON has no bytes. */
function reasonsOf({ scan, rejected }: PreparedTraces): string[] {
  const ofRows = [...scan.reject].filter((reason) => reason !== 0).map((reason) => `row ${reason}`)
  return [...ofRows, ...rejected.map(({ reason }) => reason)].sort()
}
