import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { Metadata, status } from '@grpc/grpc-js'
import { expect } from '@jest/globals'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { createGrpcSender, framed, openRawConnection } from '../harness/grpc-calls.ts'
import { until } from '../harness/http.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { type RecordJson, readAll } from '../harness/reading.ts'
import { both } from './bodies.ts'
import type { Row, RuleId } from './rule-ids.ts'
import { HOLD_BYTES, holdAllRoom, LIMITS, PREFIX, type SettingsStage } from './settings-stage.ts'
import { type Stage, untilLedger } from './stage.ts'

const oneSpan = (traceId: string): Uint8Array => encodeTraceRequest(both({ name: 'called' })(traceId))
const LARGE = LIMITS.bodyMaxBytes

/** One call frame by frame; `code` is its gRPC status wherever it stands. */
async function callRaw({ grpcPort, keys }: Stage, headers: Record<string, string>, bytes: Uint8Array) {
  const { session, open } = openRawConnection(grpcPort)
  const call = open({ authorization: `Bearer ${keys.producer_key}`, ...headers })
  call.end(bytes)
  const answer = await call.answer
  session.close()
  return { ...answer, code: Number(answer.trailers['grpc-status'] ?? answer.headers['grpc-status']) }
}

const taken: Row<SettingsStage>[] = [
  {
    ids: ['B1', 'B7', 'P10', 'X5'],
    name: 'a span is stored, and the answer is one message frame of five bytes with its status in trailers',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const { headers, data, trailers } = await callRaw(stage, {}, framed(oneSpan(traceId)))
      expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc' })
      expect([data, trailers['grpc-status']]).toEqual([Buffer.alloc(5), '0'])
      expect(await stage.records(traceId)).toMatchObject([{ name: 'called' }])
    },
  },
  ...(['logs', 'metrics'] as const).map(
    (to): Row<Stage> => ({
      ids: ['B1', 'P6', 'X11'],
      name: `${to} are a plain success`,
      run: async ({ grpc }) =>
        expect(await grpc.call(new Uint8Array(0), { to })).toMatchObject({ code: status.OK, message: Buffer.alloc(0) }),
    }),
  ),
  ...['/some.Service/Export', '/opentelemetry.proto.collector.trace.v1.TraceService/Import', '/'].map(
    (to): Row<Stage> => ({
      ids: ['B1'],
      name: `${to} is UNIMPLEMENTED`,
      run: async ({ grpc }) =>
        expect(await grpc.call(new Uint8Array(0), { to: to as `/${string}` })).toMatchObject({
          code: status.UNIMPLEMENTED,
          details: expect.stringMatching(/\w/),
        }),
    }),
  ),
  ...(
    [
      ['gzip', gzipSync],
      ['zstd', zstdCompressSync],
      ['deflate', deflateSync],
      ['identity', null],
    ] as const
  ).map(
    ([encoding, compress]): Row<Stage> => ({
      ids: ['B2'],
      name: `a message in ${encoding} is stored`,
      run: async (stage) => {
        const traceId = stage.newTraceId()
        const body = oneSpan(traceId)
        const bytes = compress ? framed(compress(body), { flag: 1 }) : framed(body)
        expect((await callRaw(stage, { 'grpc-encoding': encoding }, bytes)).code).toBe(status.OK)
        expect(await stage.records(traceId)).toHaveLength(1)
      },
    }),
  ),
  ...['br', 'snappy', 'unknown'].map(
    (encoding): Row<Stage> => ({
      ids: ['B2'],
      name: `a message in ${encoding} is UNIMPLEMENTED and says what is taken`,
      run: async (stage) => {
        const { code, headers } = await callRaw(stage, { 'grpc-encoding': encoding }, framed(Buffer.from('x'), { flag: 1 }))
        expect([code, headers['grpc-accept-encoding']]).toEqual([status.UNIMPLEMENTED, expect.stringMatching(/gzip/)])
      },
    }),
  ),
  {
    ids: ['B9'],
    name: '30 calls at once on one connection are all stored',
    run: async (stage) => {
      const ids = Array.from({ length: 30 }, () => stage.newTraceId())
      const answers = await Promise.all(ids.map((id) => stage.grpc.call(oneSpan(id))))
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([status.OK]))
      for (const id of ids) expect(await stage.records(id)).toHaveLength(1)
    },
  },
  {
    ids: ['B9'],
    name: 'a stream may have half a megabyte on the way before it waits, a connection one; HTTP/2 alone gives 64 kB',
    run: async ({ grpcPort }) => {
      const { session } = openRawConnection(grpcPort)
      const { initialWindowSize = 0, maxConcurrentStreams = 0 } = await new Promise<{
        initialWindowSize?: number
        maxConcurrentStreams?: number
      }>((resolve) => session.once('remoteSettings', resolve))
      expect([initialWindowSize >= 512 * 1024, maxConcurrentStreams >= 10]).toEqual([true, true])
      await until('the window of the connection', () => ((session.state.remoteWindowSize ?? 0) >= 1024 ** 2 ? true : null))
      session.destroy()
    },
  },
  {
    ids: ['B9'],
    name: 'a ping a tenth of a second is answered and ends nothing',
    run: async (stage) => {
      const { session, open } = openRawConnection(stage.grpcPort)
      await new Promise((resolve) => session.once('connect', resolve))
      for (let n = 0; n < 10; n++) {
        await new Promise((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve(null))))
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      const call = open({ authorization: `Bearer ${stage.keys.producer_key}` })
      call.end(framed(oneSpan(stage.newTraceId())))
      expect((await call.answer).trailers['grpc-status']).toBe('0')
      session.close()
    },
  },
  {
    ids: ['B9'],
    name: 'a deadline that passes before the message has come is DEADLINE_EXCEEDED',
    run: async ({ grpcPort, keys }) => {
      const { session, open } = openRawConnection(grpcPort)
      const call = open({ authorization: `Bearer ${keys.producer_key}`, 'grpc-timeout': '50m' })
      call.write(framed(new Uint8Array(1), { announced: 10 }))
      expect((await call.answer).headers['grpc-status']).toBe('4')
      session.destroy()
    },
  },
  {
    ids: ['B11', 'X1'],
    name: 'the exporter of JavaScript',
    run: async ({ grpcPort, keys, records }) => {
      const metadata = new Metadata()
      metadata.set('authorization', `Bearer ${keys.producer_key}`)
      const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${grpcPort}`, metadata })
      const resource = resourceFromAttributes({ 'service.name': 'exporter' })
      const provider = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] })
      const span = provider.getTracer('test').startSpan('exported')
      span.end()
      await provider.forceFlush()
      await provider.shutdown()
      expect(await records(span.spanContext().traceId)).toMatchObject([{ name: 'exported', service: 'exporter' }])
    },
  },
  {
    ids: ['B11'],
    name: 'without a key from loopback the keyless project takes it',
    run: async ({ product, grpc, newTraceId, keyless }) => {
      const traceId = newTraceId()
      expect((await grpc.call(oneSpan(traceId), { key: null })).code).toBe(status.OK)
      expect(await readAll<RecordJson>(`${product.analyzerUrl}/v1/sessions/${traceId}`, keyless.agent_key)).toHaveLength(1)
    },
  },
  {
    ids: ['B11', 'O46', 'P11'],
    name: 'a span that comes again over the other protocol is counted once',
    run: async (stage) => {
      const body = oneSpan(stage.newTraceId())
      const before = await stage.ledger()
      await stage.grpc.call(body)
      expect((await stage.post(body, {}, `${PREFIX}/v1/traces`)).status).toBe(200)
      const after = await untilLedger(stage, 'the copy', ({ deduplicated }) => deduplicated > before.deduplicated)
      expect(after.accepted - before.accepted).toBe(1)
    },
  },
]

/** Refusals and whether the sender may try again, which to exporters is whether a RetryInfo stands there. */
const refused: [
  ids: RuleId[],
  name: string,
  send: (stage: Stage) => ReturnType<Stage['grpc']['call']>,
  code: number,
  detail: string | null,
][] = [
  [
    ['B4', 'B10'],
    'an unknown key',
    ({ grpc, newTraceId }) => grpc.call(oneSpan(newTraceId()), { key: 'lk_ingest_unknown' }),
    status.UNAUTHENTICATED,
    null,
  ],
  [
    ['B4', 'B10'],
    'a key that may not write',
    ({ grpc, keys, newTraceId }) => grpc.call(oneSpan(newTraceId()), { key: keys.agent_key }),
    status.PERMISSION_DENIED,
    null,
  ],
  [
    ['B6', 'B10'],
    'JSON',
    ({ grpc }) => grpc.call(Buffer.from('{"resourceSpans":[]}')),
    status.INVALID_ARGUMENT,
    'google.rpc.BadRequest',
  ],
  [
    ['B3', 'B4'],
    'a message that is too large',
    ({ grpc }) => grpc.call(new Uint8Array(LARGE + 1)),
    status.RESOURCE_EXHAUSTED,
    null,
  ],
  [['B3', 'B4'], 'a message that unpacks to too much', sendBomb, status.RESOURCE_EXHAUSTED, null],
]

async function sendBomb({ grpcPort, keys }: Stage) {
  const sender = createGrpcSender(grpcPort, keys.producer_key, { gzip: true })
  const answer = await sender.call(new Uint8Array(LARGE + 1))
  sender.close()
  return answer
}

const refusals: Row<Stage>[] = [
  ...refused.map(
    ([ids, name, send, code, detail]): Row<Stage> => ({
      ids,
      name: `${name} is ${status[code]}, and nobody is told to try again`,
      run: async (stage) => {
        const answer = await send(stage)
        expect(answer).toMatchObject({ code, details: expect.stringMatching(/^[a-z_]+: ./) })
        expect(answer.statusDetails).not.toContain('RetryInfo')
        if (detail) expect(answer.statusDetails).toContain(`type.googleapis.com/${detail}`)
      },
    }),
  ),
  {
    ids: ['B4', 'B5', 'B10', 'P9', 'A16'],
    name: 'without room the sender is told UNAVAILABLE and to come again in a whole second',
    run: async (stage) => {
      const letGo = await holdAllRoom(stage)
      const answer = await stage.grpc.call(oneSpan(stage.newTraceId()))
      expect(answer).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringMatching(/^in_flight_full: /) })
      expect(answer.statusDetails).toContain('type.googleapis.com/google.rpc.RetryInfo')
      // RetryInfo { retry_delay { seconds: 1 } }
      expect(answer.statusDetails.endsWith('\x12\x04\x0a\x02\x08\x01')).toBe(true)
      letGo()
      expect((await stage.grpc.call(oneSpan(stage.newTraceId()))).code).toBe(status.OK)
    },
  },
  {
    ids: ['B3'],
    name: 'a message of the largest size is taken',
    run: async (stage) => {
      // A field that nobody knows, as long as the limit allows.
      const body = Buffer.alloc(LARGE, 'x')
      const length = LARGE - 6
      body.set([0x82, 0x7d, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, ((length >> 14) & 0x7f) | 0x80, length >> 21])
      expect(HOLD_BYTES).toBeLessThan(LARGE)
      expect((await stage.grpc.call(body)).code).toBe(status.OK)
    },
  },
]

const FRAMES: [ids: RuleId[], name: string, headers: Record<string, string>, bytes: Uint8Array, code: number][] = [
  [
    ['B6', 'O32'],
    'gzip that is none',
    { 'grpc-encoding': 'gzip' },
    framed(Buffer.from('x'), { flag: 1 }),
    status.INVALID_ARGUMENT,
  ],
  [['B6'], 'a message compressed by nothing', {}, framed(Buffer.from('x'), { flag: 1 }), status.INVALID_ARGUMENT],
  [['B6'], 'an unknown flag', {}, framed(new Uint8Array(0), { flag: 2 }), status.INVALID_ARGUMENT],
  [['B6'], 'no message', {}, new Uint8Array(0), status.INVALID_ARGUMENT],
  [['B6'], 'half a prefix', {}, new Uint8Array(3), status.INVALID_ARGUMENT],
  [['B6', 'O35'], 'half a message', {}, framed(new Uint8Array(2), { announced: 4 }), status.INVALID_ARGUMENT],
  [
    ['B6'],
    'two messages',
    {},
    Buffer.concat([framed(oneSpan('1'.repeat(32))), framed(oneSpan('2'.repeat(32)))]),
    status.INVALID_ARGUMENT,
  ],
  [
    ['B3', 'O29'],
    'a prefix that announces four gigabytes',
    {},
    framed(new Uint8Array(1), { announced: 2 ** 32 - 1 }),
    status.RESOURCE_EXHAUSTED,
  ],
]

const frames: Row<Stage>[] = [
  ...FRAMES.map(
    ([ids, name, headers, bytes, code]): Row<Stage> => ({
      ids,
      name: `${name} is ${status[code]}`,
      run: async (stage) => expect((await callRaw(stage, headers, bytes)).code).toBe(code),
    }),
  ),
  {
    ids: ['B8'],
    name: 'application/grpc+proto is gRPC',
    run: async (stage) => {
      const type = { 'content-type': 'application/grpc+proto' }
      expect((await callRaw(stage, type, framed(oneSpan(stage.newTraceId())))).code).toBe(status.OK)
    },
  },
  {
    ids: ['B8'],
    name: 'a message of the status is percent-encoded, and its trailers are headers where nothing else is said',
    run: async (stage) => {
      const { headers } = await callRaw(stage, { 'grpc-encoding': 'gzip' }, framed(Buffer.from('x'), { flag: 1 }))
      expect(headers).toMatchObject({
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-message': expect.stringMatching(/^[ -$&-~]+$/),
      })
    },
  },
  ...(
    [
      ['another content type', { 'content-type': 'application/json' }, 415],
      ['gRPC of another encoding', { 'content-type': 'application/grpc+json' }, 415],
      ['another method', { ':method': 'PUT' }, 405],
    ] as const
  ).map(
    ([name, headers, code]): Row<Stage> => ({
      ids: ['B8'],
      name: `${name} is answered in HTTP with ${code}`,
      run: async (stage) => expect((await callRaw(stage, headers, framed(new Uint8Array(0)))).headers[':status']).toBe(code),
    }),
  ),
  {
    ids: ['A23', 'B9'],
    name: 'a call under way at SIGTERM is answered and stored; an idle connection holds nothing up',
    run: async (stage) => {
      const { session, open } = openRawConnection(stage.grpcPort)
      const traceId = stage.newTraceId()
      const message = framed(oneSpan(traceId))
      const call = open({ authorization: `Bearer ${stage.keys.producer_key}` })
      call.write(message.subarray(0, 20))
      await until('the call to be under way', async () =>
        (await stage.metric(/loopkit_in_flight_bytes (\d+)/)) > 0 ? true : null,
      )
      const ended = stage.product.endCollector('SIGTERM')
      await new Promise((resolve) => session.once('goaway', resolve))
      call.end(message.subarray(20))
      expect((await call.answer).trailers['grpc-status']).toBe('0')
      const startMs = performance.now()
      expect(await ended).toBe(0)
      expect(performance.now() - startMs).toBeLessThan(3_000)
      await stage.product.restartCollector()
      expect(await stage.records(traceId)).toHaveLength(1)
    },
  },
]

/** B: OTLP/gRPC, with a proper client and frame by frame. */
export const grpcRows: Row<SettingsStage>[] = [...taken, ...refusals, ...frames]
