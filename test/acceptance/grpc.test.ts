import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { attributes, type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { type RecordJson, readAll, readJson } from '../harness/reading.ts'
import { startService } from '../harness/service-process.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { createGrpcSender, framed, type GrpcSender, grpcPortOf, openRawConnection } from './grpc-calls.ts'

const BODY_MAX_BYTES = 2 * 1024 ** 2
const IN_FLIGHT_MAX_BYTES = 1024 ** 2

let product: Product
let keys: ProjectKeys
let port: number
let plain: GrpcSender
let gzipped: GrpcSender
let nextTrace = 1

beforeAll(async () => {
  const env = {
    LOOPKIT_BODY_MAX_BYTES: String(BODY_MAX_BYTES),
    LOOPKIT_IN_FLIGHT_MAX_BYTES: String(IN_FLIGHT_MAX_BYTES),
    LOOPKIT_KEYLESS_PROJECT: 'keyless',
  }
  product = await startProduct({ env })
  keys = await product.provision('grpc')
  port = grpcPortOf(product.dataDir)
  plain = createGrpcSender(port, keys.producer_key)
  gzipped = createGrpcSender(port, keys.producer_key, { gzip: true })
}, 60_000)
afterAll(async () => {
  plain?.close()
  gzipped?.close()
  await product?.stop()
})

const traceId = () => (nextTrace++).toString(16).padStart(32, '0')
const bodyOf = (...spans: SpanJson[]) => encodeTraceRequest(traceRequest('caller', spans))
const oneSpan = (id = traceId()) => bodyOf(spanJson({ traceId: id, spanId: 'a'.repeat(16) }))
const recordsOf = (id: string, { agent_key } = keys) => readAll<RecordJson>(`${product.analyzerUrl}/v1/sessions/${id}`, agent_key)
const ledger = () =>
  readJson<{ accepted: number; deduplicated: number }>(`${product.analyzerUrl}/v1/ingest/ledger`, keys.agent_key)

describe('what is taken', () => {
  test.each([
    ['plain', () => plain],
    ['gzip', () => gzipped],
  ])('%s: a span is stored and the answer is an empty message', async (_, sender) => {
    const id = traceId()
    const answer = await sender().call(oneSpan(id))
    expect(answer).toMatchObject({ code: status.OK, message: Buffer.alloc(0) })
    expect(await recordsOf(id)).toMatchObject([{ trace_id: id, name: 'work', service: 'caller' }])
  })

  test('what is stored is what HTTP stores', async () => {
    const [overHttp, overGrpc] = [await product.provision('over http'), await product.provision('over grpc')]
    const id = traceId()
    const body = bodyOf(
      ...Array.from({ length: 20 }, (_, n) =>
        spanJson({
          traceId: id,
          spanId: (n + 1).toString(16).padStart(16, '0'),
          parentSpanId: n === 0 ? undefined : '1'.padStart(16, '0'),
          name: `step ${n}`,
          attributes: attributes({ n, text: 'Grüße', ratio: 0.5, ok: true }),
          status: n === 7 ? { code: 2, message: 'broken' } : undefined,
        }),
      ),
    )
    expect((await sendOtlp(product.otlpUrl, overHttp.producer_key, body)).status).toBe(200)
    expect((await plain.call(body, { key: overGrpc.producer_key })).code).toBe(status.OK)
    const shown = async (project: ProjectKeys) =>
      (await recordsOf(id, project)).map((record) => ({ ...record, received_at: undefined }))
    const stored = await shown(overGrpc)
    expect(stored).toHaveLength(20)
    expect(stored).toEqual(await shown(overHttp))
  })

  test('bad spans are refused one by one in the message of a success', async () => {
    const id = traceId()
    const bad = spanJson({ traceId: '0'.repeat(32), spanId: 'b'.repeat(16) })
    const { code, message } = await plain.call(bodyOf(spanJson({ traceId: id, spanId: 'a'.repeat(16) }), bad))
    expect(code).toBe(status.OK)
    // partial_success { rejected_spans: 1, error_message }
    expect([message?.[0], message?.[2], message?.[3]]).toEqual([0x0a, 0x08, 1])
    expect(message?.toString()).toContain('trace_id')
    expect(await recordsOf(id)).toHaveLength(1)
  })

  test.each(['logs', 'metrics'] as const)('%s succeed', async (to) => {
    expect(await plain.call(new Uint8Array(0), { to })).toMatchObject({ code: status.OK, message: Buffer.alloc(0) })
  })

  test('without a key from loopback the keyless project takes it', async () => {
    const project = await product.provision('keyless')
    const id = traceId()
    expect((await plain.call(oneSpan(id), { key: null })).code).toBe(status.OK)
    expect(await recordsOf(id, project)).toHaveLength(1)
  })

  test('the OpenTelemetry exporter of JavaScript', async () => {
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${keys.producer_key}`)
    const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${port}`, metadata })
    const resource = resourceFromAttributes({ 'service.name': 'exporter' })
    const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] })
    const span = provider.getTracer('test').startSpan('exported')
    span.end()
    await provider.forceFlush()
    await provider.shutdown()
    expect(await recordsOf(span.spanContext().traceId)).toMatchObject([{ name: 'exported', service: 'exporter' }])
  })

  test('30 calls at once on one connection are all stored', async () => {
    const ids = Array.from({ length: 30 }, traceId)
    const answers = await Promise.all(ids.map((id) => plain.call(oneSpan(id))))
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([status.OK]))
    for (const id of ids) expect(await recordsOf(id)).toHaveLength(1)
  })

  test('a span sent again over the other protocol is counted once', async () => {
    const body = oneSpan()
    const before = await ledger()
    await plain.call(body)
    await sendOtlp(product.otlpUrl, keys.producer_key, body)
    // Counts of bodies that store nothing are written once a second.
    await until('the second copy to be counted', async () => (await ledger()).deduplicated - before.deduplicated === 1 || null)
    expect((await ledger()).accepted).toBe(before.accepted + 1)
  })

  test('the metrics tell the transport', async () => {
    expect((await callApi(`${product.otlpUrl}/metrics`)).text).toMatch(/otelcol_receiver_accepted_spans\{transport="grpc"\} \d+/)
  })
})

describe('what is refused', () => {
  test.each([
    ['an unknown key', () => plain.call(oneSpan(), { key: 'lk_ingest_unknown' }), status.UNAUTHENTICATED],
    ['a key that may not write', () => plain.call(oneSpan(), { key: keys.agent_key }), status.PERMISSION_DENIED],
    ['no protobuf', () => plain.call(Buffer.from('{"resourceSpans":[]}')), status.INVALID_ARGUMENT],
    ['no protobuf, gzip', () => gzipped.call(Buffer.from('{"resourceSpans":[]}')), status.INVALID_ARGUMENT],
    ['too large', () => plain.call(new Uint8Array(BODY_MAX_BYTES + 1)), status.RESOURCE_EXHAUSTED],
    ['too large once inflated', () => gzipped.call(new Uint8Array(BODY_MAX_BYTES + 1)), status.RESOURCE_EXHAUSTED],
    ['an unknown method', () => plain.call(oneSpan(), { to: '/some.Service/Export' }), status.UNIMPLEMENTED],
  ])('%s, and nobody is told to try again', async (_, send, code) => {
    const answer = await send()
    expect(answer).toMatchObject({ code, details: expect.stringMatching(/\w/) })
    expect(answer.statusDetails).not.toContain('RetryInfo')
  })

  test('a message of the largest size passes the door', async () => {
    // A field that nobody knows, as long as the limit allows.
    const body = Buffer.alloc(BODY_MAX_BYTES, 'x')
    body.set([0x82, 0x7d, ...lengthVarint(BODY_MAX_BYTES - 6)])
    expect((await plain.call(body)).code).toBe(status.OK)
  })

  test('without room the sender is told to come again in whole seconds, and does not lose its place for ever', async () => {
    const { session, open } = openRawConnection(port)
    const holding = open({ authorization: `Bearer ${keys.producer_key}` })
    holding.write(framed(new Uint8Array(1), { announced: IN_FLIGHT_MAX_BYTES }))
    await until(
      'the room to be taken',
      async () =>
        new RegExp(`loopkit_in_flight_bytes ${IN_FLIGHT_MAX_BYTES}`).test((await callApi(`${product.otlpUrl}/metrics`)).text) ||
        null,
    )
    const answer = await plain.call(oneSpan())
    expect(answer.code).toBe(status.UNAVAILABLE)
    expect(answer.statusDetails).toContain('type.googleapis.com/google.rpc.RetryInfo')
    // RetryInfo { retry_delay { seconds: 1 } }
    expect(answer.statusDetails.endsWith('\x12\x04\x0a\x02\x08\x01')).toBe(true)
    holding.cancel()
    expect((await plain.call(oneSpan())).code).toBe(status.OK)
    session.destroy()
  })
})

describe('frame by frame', () => {
  const send = async (headers: Record<string, string>, bytes: Uint8Array) => {
    const { session, open } = openRawConnection(port)
    const call = open({ authorization: `Bearer ${keys.producer_key}`, ...headers })
    call.end(bytes)
    const answer = await call.answer
    session.close()
    return { ...answer, code: answer.trailers['grpc-status'] ?? answer.headers['grpc-status'] }
  }

  test('a success has one message frame of five bytes and its status in trailers', async () => {
    const { headers, data, trailers } = await send({}, framed(oneSpan()))
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc' })
    expect(data).toEqual(Buffer.alloc(5))
    expect(trailers['grpc-status']).toBe('0')
  })

  test.each([
    ['zstd', 'inflated', { 'grpc-encoding': 'zstd' }, framed(zstdCompressSync(new Uint8Array(0)), { flag: 1 }), '0'],
    ['gzip', 'inflated', { 'grpc-encoding': 'gzip' }, framed(gzipSync(''), { flag: 1 }), '0'],
    ['gzip that is none', 'INVALID_ARGUMENT', { 'grpc-encoding': 'gzip' }, framed(Buffer.from('x'), { flag: 1 }), '3'],
    ['an unknown encoding', 'UNIMPLEMENTED', { 'grpc-encoding': 'br' }, framed(Buffer.from('x'), { flag: 1 }), '12'],
    ['compressed by nothing', 'INVALID_ARGUMENT', {}, framed(Buffer.from('x'), { flag: 1 }), '3'],
    ['an unknown flag', 'INVALID_ARGUMENT', {}, framed(new Uint8Array(0), { flag: 2 }), '3'],
    ['no message', 'INVALID_ARGUMENT', {}, new Uint8Array(0), '3'],
    ['half a prefix', 'INVALID_ARGUMENT', {}, new Uint8Array(3), '3'],
    ['half a message', 'INVALID_ARGUMENT', {}, framed(new Uint8Array(2), { announced: 4 }), '3'],
    ['two messages', 'INVALID_ARGUMENT', {}, Buffer.concat([framed(oneSpanOf(1)), framed(oneSpanOf(2))]), '3'],
    ['too large by its prefix alone', 'RESOURCE_EXHAUSTED', {}, framed(new Uint8Array(1), { announced: 2 ** 32 - 1 }), '8'],
  ])('%s: %s', async (_what, _answer, headers, bytes, code) => {
    expect((await send(headers, bytes)).code).toBe(code)
  })

  test('a deadline that passes before the message has come is DEADLINE_EXCEEDED', async () => {
    const { session, open } = openRawConnection(port)
    const call = open({ authorization: `Bearer ${keys.producer_key}`, 'grpc-timeout': '50m' })
    call.write(framed(new Uint8Array(1), { announced: 10 }))
    expect((await call.answer).headers['grpc-status']).toBe('4')
    session.destroy()
  })

  test.each([
    ['another content type', { 'content-type': 'application/json' }, 415],
    ['a gRPC of another encoding', { 'content-type': 'application/grpc+json' }, 415],
    ['another method', { ':method': 'PUT' }, 405],
  ])('%s is answered in HTTP', async (_, headers, code) => {
    expect((await send(headers, framed(new Uint8Array(0)))).headers[':status']).toBe(code)
  })

  test('a ping a tenth of a second is answered and ends nothing', async () => {
    const { session, open } = openRawConnection(port)
    await new Promise((resolve) => session.once('connect', resolve))
    for (let n = 0; n < 20; n++) {
      await new Promise((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve(null))))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const call = open({ authorization: `Bearer ${keys.producer_key}` })
    call.end(framed(oneSpan()))
    expect((await call.answer).trailers['grpc-status']).toBe('0')
    session.close()
  })

  test('HTTP/1.1 on the gRPC port is cut, and the log says what it was', async () => {
    await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\n\r\n'))
      socket
        .resume()
        .on('error', () => {})
        .on('close', resolve)
    })
    await until('the hint', () => (product.output().includes('something other than gRPC') ? true : null))
  })
})

describe('starting and stopping', () => {
  test('without control.db the answer is UNAVAILABLE with RetryInfo; a taken port is exit 75 with one line', async () => {
    const dataDirs = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'loopkit-grpc-')))
    const start = (dataDir: string, grpcPort: string) =>
      startService({ name: 'collector', dataDir, env: { LOOPKIT_OTLP_HTTP_PORT: '0', LOOPKIT_OTLP_GRPC_PORT: grpcPort } })
    const alone = await start(dataDirs[0]!, '0')
    const alonePort = grpcPortOf(dataDirs[0]!)
    const sender = createGrpcSender(alonePort, 'lk_ingest_any')
    const answer = await sender.call(oneSpan())
    sender.close()
    expect(answer).toMatchObject({ code: status.UNAVAILABLE, statusDetails: expect.stringContaining('google.rpc.RetryInfo') })
    await expect(start(dataDirs[1]!, String(alonePort))).rejects.toThrow(
      new RegExp(`ended with 75\\nloopkit collector: listen EADDRINUSE.*:${alonePort}; change .*LOOPKIT_OTLP_GRPC_PORT.*\\n$`),
    )
    expect(await alone.end('SIGTERM')).toBe(0)
    for (const dataDir of dataDirs) rmSync(dataDir, { recursive: true, force: true })
  })

  test('a call under way at SIGTERM is answered and stored; an idle connection holds nothing up', async () => {
    const { session, open } = openRawConnection(port)
    const id = traceId()
    const message = framed(oneSpan(id))
    const call = open({ authorization: `Bearer ${keys.producer_key}` })
    call.write(message.subarray(0, 20))
    await until(
      'the call to be under way',
      async () => /loopkit_in_flight_bytes [1-9]/.test((await callApi(`${product.otlpUrl}/metrics`)).text) || null,
    )
    const ended = product.endCollector('SIGTERM')
    await new Promise((resolve) => session.once('goaway', resolve))
    call.end(message.subarray(20))
    expect((await call.answer).trailers['grpc-status']).toBe('0')
    const startMs = performance.now()
    expect(await ended).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(3_000)
    await product.restartCollector()
    expect(await recordsOf(id)).toHaveLength(1)
  })
})

/** Before the product runs: rows of a table are made when the file is read. */
function oneSpanOf(n: number): Uint8Array {
  return bodyOf(spanJson({ traceId: String(n).repeat(32), spanId: 'a'.repeat(16) }))
}

function lengthVarint(bytes: number): number[] {
  return [(bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, ((bytes >> 14) & 0x7f) | 0x80, bytes >> 21]
}
