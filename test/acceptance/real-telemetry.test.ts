import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sendOtlp } from '../harness/http.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { decodeTraceRequest, encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { type RecordJson, readAll } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { describeWithSharedData, sharedData } from './shared-data.ts'
import { expectedRecords, readCapture } from './source-spans.ts'

const MINUTE_MS = 60_000
const CAPTURE_SPANS = 547

describeWithSharedData('real telemetry comes back as it was sent', () => {
  let product: Product
  beforeAll(async () => {
    product = await startProduct()
  }, MINUTE_MS)
  afterAll(() => product?.stop())

  const readTelemetry = (keys: ProjectKeys) =>
    readAll<RecordJson>(`${product.analyzerUrl}/v1/telemetry?since_minutes=60&limit=200`, keys.agent_key)
  const readSession = (keys: ProjectKeys, traceId: string) =>
    readAll<RecordJson>(`${product.analyzerUrl}/v1/sessions/${traceId}`, keys.agent_key)

  /** Sends, then compares every span in both ways of reading with what was sent. */
  async function roundTrip(
    keys: ProjectKeys,
    requests: TraceRequestJson[],
    encode: (request: TraceRequestJson) => unknown,
  ): Promise<number> {
    for (const request of requests) {
      const answer = await sendOtlp(product.otlpUrl, keys.producer_key, encode(request))
      expect([answer.status, answer.text]).toEqual([200, encode(request) instanceof Uint8Array ? '' : '{}'])
    }
    const expected = requests.flatMap(expectedRecords)
    const telemetry = await readTelemetry(keys)
    expect(telemetry).toHaveLength(expected.length)
    const byId = new Map(telemetry.map((record) => [`${record.trace_id}/${record.span_id}`, record]))
    for (const { traceId, spanId, record } of expected) expect(byId.get(`${traceId}/${spanId}`)).toMatchObject(record)
    for (const traceId of new Set(expected.map((one) => one.traceId))) {
      const session = new Map((await readSession(keys, traceId)).map((record) => [record.span_id, record]))
      for (const { spanId, record } of expected.filter((one) => one.traceId === traceId)) {
        expect(session.get(spanId)).toMatchObject(record)
        // toMatchObject lets more attributes pass: nothing may be added either.
        expect(session.get(spanId)?.attributes).toEqual(record.attributes)
      }
    }
    return expected.length
  }

  const captureRequests = () =>
    readCapture()
      .filter(({ kind }) => kind === 'traces')
      .map(({ line }) => JSON.parse(line) as TraceRequestJson)

  test(
    'the 547 spans of the demo capture, as JSON',
    async () => {
      expect(await roundTrip(await product.provision('capture json'), captureRequests(), (request) => request)).toBe(
        CAPTURE_SPANS,
      )
    },
    MINUTE_MS,
  )

  test(
    'the 547 spans of the demo capture, as protobuf',
    async () => {
      expect(await roundTrip(await product.provision('capture protobuf'), captureRequests(), encodeTraceRequest)).toBe(
        CAPTURE_SPANS,
      )
    },
    MINUTE_MS,
  )

  test(
    "the capture's logs and metrics get 200",
    async () => {
      const { producer_key } = await product.provision('capture others')
      const others = readCapture().filter(({ kind }) => kind !== 'traces')
      expect(others).toHaveLength(56)
      for (const { line, kind } of others) expect((await sendOtlp(product.otlpUrl, producer_key, line, kind)).status).toBe(200)
    },
    MINUTE_MS,
  )

  test('trace.pb, byte for byte as it lies there', async () => {
    const bytes = new Uint8Array(readFileSync(join(sharedData, 'otlp', 'trace.pb')))
    const spans = await roundTrip(await product.provision('trace.pb'), [decodeTraceRequest(bytes)], () => bytes)
    expect(spans).toBeGreaterThan(0)
  })

  test.each([
    ['JSON', (request: TraceRequestJson) => request],
    ['protobuf', encodeTraceRequest],
  ])('proto-example-trace.json, as %s', async (encoding, encode) => {
    const request = JSON.parse(readFileSync(join(sharedData, 'otlp', 'proto-example-trace.json'), 'utf8')) as TraceRequestJson
    expect(await roundTrip(await product.provision(`example ${encoding}`), [request], encode)).toBeGreaterThan(0)
  })
})
