import { expect } from '@jest/globals'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import type { RecordJson } from '../harness/reading.ts'
import { readGrpcAnswer, readHttpAnswer, type Said } from './answers.ts'
import { TRACE } from './bodies.ts'
import type { Row, RuleId } from './rule-ids.ts'
import type { Stage } from './stage.ts'
import { readStoredSpans, spansIn } from './stored-bytes.ts'

/** A body and what must become of it. Bodies are made for a trace id of their own, so that every way of sending stores afresh. */
export interface Payload {
  ids: RuleId[]
  name: string
  side?: string
  /** Sent as JSON over HTTP; `$T` in it becomes the trace id. */
  json?: string
  /** Sent as protobuf over HTTP and over gRPC. */
  wire?: (traceId: Uint8Array) => Uint8Array
  /** Sent in both encodings and over both protocols. */
  both?: (traceId: string) => TraceRequestJson
  /** null: taken. Else the word the refusal begins with; nothing of the body is stored. */
  refused?: RefusalWord
  /** Spans refused one by one: reason and number. */
  rejected?: Record<string, number>
  /** What the API shows of the trace afterwards, by span id: every record, each at least like this. */
  stored?: object[]
  /** The trace id to ask for; the one given by default. */
  asks?: (traceId: string) => string
}

const REFUSALS = {
  malformed_json: { status: 400, code: 3 },
  malformed_protobuf: { status: 400, code: 3 },
  too_deep: { status: 400, code: 3 },
  too_many_values: { status: 400, code: 3 },
  body_too_large: { status: 413, code: 8 },
} as const
export type RefusalWord = keyof typeof REFUSALS

interface Way {
  name: string
  encoding: 'json' | 'protobuf'
  send(stage: Stage, body: string | Uint8Array): Promise<Said>
}

const OVER_HTTP_AS_JSON: Way = {
  name: 'HTTP, JSON',
  encoding: 'json',
  send: async (stage, body) => readHttpAnswer(await stage.post(body as string, { 'content-type': 'application/json' }), 'json'),
}
const OVER_HTTP_AS_PROTOBUF: Way = {
  name: 'HTTP, protobuf',
  encoding: 'protobuf',
  send: async (stage, body) => readHttpAnswer(await stage.post(body as Uint8Array), 'protobuf'),
}
const OVER_GRPC: Way = {
  name: 'gRPC',
  encoding: 'protobuf',
  send: async (stage, body) => readGrpcAnswer(await stage.grpc.call(body as Uint8Array)),
}

/** The payload as a row: sent every way that it has a body for, the answer and what is stored compared each time. */
export function payloadRow(payload: Payload): Row<Stage> {
  const { ids, name, side, json, wire, both } = payload
  const asJson =
    json === undefined
      ? both && ((traceId: string) => JSON.stringify(both(traceId)))
      : (traceId: string) => json.replaceAll(TRACE, traceId)
  const asWire = wire ?? (both && ((traceId: Uint8Array) => encodeTraceRequest(both(Buffer.from(traceId).toString('hex')))))
  return {
    ids,
    name,
    side,
    run: async (stage) => {
      const shown: RecordJson[][] = []
      if (asJson) shown.push(await check(payload, stage, OVER_HTTP_AS_JSON, asJson))
      for (const way of asWire ? [OVER_HTTP_AS_PROTOBUF, OVER_GRPC] : [])
        shown.push(await check(payload, stage, way, (traceId) => asWire!(Buffer.from(traceId, 'hex'))))
      for (const records of shown) expect(records).toEqual(shown[0])
    },
  }
}

/** Sends the body one way and holds everything that is promised against it. Answers what is shown, but for what differs by trace and time. */
async function check(
  payload: Payload,
  stage: Stage,
  way: Way,
  bodyFor: (traceId: string) => string | Uint8Array,
): Promise<RecordJson[]> {
  const { stored = [], asks = (traceId) => traceId } = payload
  const traceId = stage.newTraceId()
  const body = bodyFor(traceId)
  const sentMs = Date.now()
  checkAnswer(payload, way, await way.send(stage, body))
  const records = await stage.records(asks(traceId))
  expect([way.name, records.length]).toEqual([way.name, stored.length])
  for (const [at, expected] of stored.entries()) expect(records[at]).toMatchObject(expected)
  if (body instanceof Uint8Array && stored.length > 0) checkBytes(stage, traceId, body, records, sentMs)
  return JSON.parse(JSON.stringify(records, withoutArrival).replaceAll(traceId, TRACE)) as RecordJson[]
}

const withoutArrival = (name: string, value: unknown): unknown => (name === 'record_id' || name === 'received_at' ? null : value)

function checkAnswer({ refused, rejected = {} }: Payload, way: Way, said: Said): void {
  const overHttp = (status: number) => (said.status === null ? null : status)
  const seen = { way: way.name, ...said }
  if (refused) {
    const { status, code } = REFUSALS[refused]
    expect(seen).toMatchObject({ status: overHttp(status), code, rejected: 0 })
    expect(said.message).toMatch(new RegExp(`^${refused}: .`))
    return
  }
  const count = Object.values(rejected).reduce((sum, n) => sum + n, 0)
  expect(seen).toMatchObject({ status: overHttp(200), code: 0, rejected: count })
  for (const [reason, n] of Object.entries(rejected)) expect(said.message).toContain(`${reason}: ${n}`)
  if (count === 0) expect(said.message).toBe('')
}

/** What was sent as protobuf lies in the store byte for byte, each span once. */
function checkBytes(stage: Stage, traceId: string, body: Uint8Array, records: RecordJson[], sentMs: number): void {
  const sent = new Map(spansIn(Buffer.from(body)).map((span) => [span.spanId, span.span.toString('hex')]))
  const lying = readStoredSpans(stage.product.dataDir, traceId, sentMs)
  const expected = records.map(({ span_id }) => [span_id, sent.get(span_id)])
  expect(lying.map(({ spanId, span }) => [spanId, span.toString('hex')]).sort()).toEqual(expected)
}
