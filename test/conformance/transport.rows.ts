import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect } from '@jest/globals'
import { callApi } from '../harness/http.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { readHttpAnswer } from './answers.ts'
import { A, both, jsonRequest, jsonSpan, oneSpan } from './bodies.ts'
import { chunk, head, LAST_CHUNK, statusOf, talk } from './raw-http.ts'
import type { Row } from './rule-ids.ts'
import { type Stage, untilLedger } from './stage.ts'

const JSON_TYPE = 'application/json'
const PROTOBUF = 'application/x-protobuf'
const BODY_MAX_BYTES = 64 * 1024 ** 2
const EMPTY_REQUEST = { json: '{}', protobuf: new Uint8Array(0) }

const bounds: Row<Stage>[] = [
  {
    ids: ['A9', 'O29', 'P5'],
    name: 'a byte over 64 MiB is a 413 by its Content-Length alone, before any of it is sent',
    side: 'OTLP 1.11; the Collector answers 400 and takes 20 MiB',
    run: async ({ httpPort, keys }) => {
      const authorization = `Bearer ${keys.producer_key}`
      const heard = await talk(httpPort, head({ authorization, 'content-type': PROTOBUF, 'content-length': BODY_MAX_BYTES + 1 }))
      expect(statusOf(heard)).toBe(413)
    },
  },
  {
    ids: ['A9', 'A25', 'O29'],
    name: 'a body in chunks is a 413 as soon as it passes 64 MiB, and the connection is closed',
    run: async ({ httpPort, keys }) => {
      const authorization = `Bearer ${keys.producer_key}`
      const request = [
        head({ authorization, 'content-type': PROTOBUF, 'transfer-encoding': 'chunked' }),
        ...Array<Buffer>(65).fill(chunk(Buffer.alloc(1024 ** 2))),
      ]
      const heard = await talk(httpPort, Buffer.concat(request.map((part) => Buffer.from(part as string))), {
        enough: () => false,
      })
      expect([statusOf(heard), heard.closed]).toEqual([413, true])
    },
  },
  {
    ids: ['P5', 'X12', 'X15'],
    name: 'a prompt of 20 MiB is taken',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const body = oneSpan(`"attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"${'p'.repeat(20 * 1024 ** 2)}"}}]`)
      const answer = await stage.post(body.replaceAll('$T', traceId))
      expect([answer.status, answer.text]).toEqual([200, '{}'])
      expect(await stage.records(traceId)).toHaveLength(1)
    },
  },
  {
    ids: ['A10', 'A13'],
    name: 'the message of 20,000 refused spans is short, and their number exact',
    run: async (stage) => {
      const spans = Array.from({ length: 20_000 }, (_, n) => jsonSpan('"name":"x"', n % 2 === 0 ? '' : '0'.repeat(16)))
      const answer = await stage.post(jsonRequest(...spans).replaceAll('$T', stage.newTraceId()))
      expect(readHttpAnswer(answer, 'json')).toMatchObject({ status: 200, rejected: 20_000 })
      expect(answer.bytes.length).toBeLessThan(4096)
    },
  },
  {
    ids: ['A9', 'O30'],
    name: 'bombs leave the collector within its memory',
    run: async ({ product }) => {
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${product.collectorPid()}/status`, 'utf8'))
      expect(Number(peak?.[1]) / 1024).toBeLessThan(512)
    },
  },
]

const paths: Row<Stage>[] = [
  ...(['traces', 'logs', 'metrics'] as const).flatMap((signal): Row<Stage>[] =>
    (['json', 'protobuf'] as const).map((encoding) => ({
      ids: ['A1', 'P6', 'X11', 'O41'],
      name: `${signal} in ${encoding} are a plain success`,
      side: 'contract §3; the faults allow a 404 for logs and metrics',
      run: async (stage) => {
        const answer = await stage.post(EMPTY_REQUEST[encoding], {}, `/v1/${signal}`)
        expect(readHttpAnswer(answer, encoding)).toEqual({ status: 200, code: 0, rejected: 0, message: '' })
      },
    })),
  ),
  ...['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'].flatMap((method): Row<Stage>[] =>
    ['/v1/traces', '/v1/logs', '/v1/metrics'].map((path) => ({
      ids: ['A2', 'O41'],
      name: `${method} ${path} is a 405 that allows POST`,
      side: 'a Status; the Collector answers plain text',
      run: async ({ product }) => {
        const answer = await callApi(`${product.otlpUrl}${path}`, { method })
        expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
        if (method !== 'HEAD') expect(readHttpAnswer(answer, 'json').message).toMatch(/^method_not_allowed: /)
      },
    })),
  ),
  ...[
    '/v1/traces/',
    '//v1/traces',
    '/v1/traces?x=%00',
    '/v1/traces?key=lk_ingest_x',
    '/v1/Traces',
    '/v1/%74races',
    '/',
    '/v1',
    '/v1development/profiles',
    '/v1/traces/../traces',
  ].map(
    (path): Row<Stage> => ({
      ids: path === '/' ? ['O42', 'A14', 'X11'] : ['O42', 'A14', 'A1'],
      name: `POST ${path} is a 404 that says where OTLP goes`,
      run: async ({ httpPort, keys }) => {
        const headers = {
          authorization: `Bearer ${keys.producer_key}`,
          'content-type': JSON_TYPE,
          'content-length': 2,
          connection: 'close',
        }
        const heard = await talk(httpPort, `${head(headers, path)}{}`, { enough: () => false })
        expect(statusOf(heard)).toBe(404)
        expect(heard.text).toMatch(/content-type: application\/json\r\n/i)
        expect(heard.text).toMatch(/\{"code":5,"message":"not_found: .*\/v1\/traces/)
      },
    }),
  ),
]

const answers: Row<Stage>[] = [
  {
    ids: ['A13'],
    name: 'a partial success says its number as a text of digits',
    run: async (stage) => {
      const answer = await stage.post(jsonRequest(jsonSpan('"name":"x"', '')).replaceAll('$T', stage.newTraceId()))
      expect(answer.json()).toEqual({
        partialSuccess: { rejectedSpans: '1', errorMessage: expect.stringMatching(/^span_id_empty: 1/) },
      })
    },
  },
  {
    ids: ['A14', 'A21'],
    name: 'a refused request is counted under its code in the ledger',
    run: async (stage) => {
      await stage.post('{', { 'content-type': JSON_TYPE })
      await untilLedger(stage, 'the refusal', ({ refused_requests }) => (refused_requests.malformed_json ?? 0) > 0)
    },
  },
  {
    ids: ['A21'],
    name: 'no key, two keys and a key that may not write',
    run: async (stage) => {
      const { product, httpPort, keys } = stage
      const none = await callApi(`${product.otlpUrl}/v1/traces`, { body: '{}', headers: { 'content-type': JSON_TYPE } })
      expect(readHttpAnswer(none, 'json')).toMatchObject({
        status: 401,
        code: 16,
        message: expect.stringMatching(/^missing_credentials: /),
      })
      const reader = await stage.post('{}', { authorization: `Bearer ${keys.agent_key}` })
      expect(readHttpAnswer(reader, 'json')).toMatchObject({
        status: 403,
        code: 7,
        message: expect.stringMatching(/^insufficient_scope: /),
      })
      const key = `authorization: Bearer ${keys.producer_key}\r\n`
      const twice = await talk(
        httpPort,
        `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${JSON_TYPE}\r\n${key}${key}content-length: 2\r\n\r\n{}`,
      )
      expect(statusOf(twice)).toBe(400)
    },
  },
  {
    ids: ['A24'],
    name: 'both receivers listen on loopback alone unless told otherwise',
    whyNot: () => (process.platform === 'linux' ? null : 'listening addresses are read from /proc/net/tcp'),
    run: async ({ httpPort, grpcPort }) => {
      const listening = readFileSync('/proc/net/tcp', 'utf8')
      for (const port of [httpPort, grpcPort]) {
        const address = port.toString(16).toUpperCase().padStart(4, '0')
        expect(listening).toMatch(new RegExp(` 0100007F:${address} 00000000:0000 0A `))
        expect(listening).not.toMatch(new RegExp(` 00000000:${address} 00000000:0000 0A `))
      }
    },
  },
  {
    ids: ['A25', 'X1', 'X4'],
    name: 'a gzip in chunks without a length, as JavaScript and Go send it',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const body = gzipSync(encodeTraceRequest(both({ name: 'chunked' })(traceId)))
      const headers = {
        authorization: `Bearer ${stage.keys.producer_key}`,
        'content-type': PROTOBUF,
        'content-encoding': 'gzip',
        'transfer-encoding': 'chunked',
        te: 'trailers',
        trailer: 'x-sum',
      }
      const request = Buffer.concat([
        Buffer.from(head(headers)),
        chunk(body.subarray(0, 7)),
        chunk(body.subarray(7)),
        Buffer.from('0\r\nx-sum: 1\r\n\r\n'),
      ])
      expect(statusOf(await talk(stage.httpPort, request))).toBe(200)
      expect(await stage.records(traceId)).toMatchObject([{ span_id: A, name: 'chunked' }])
    },
  },
  {
    ids: ['A25'],
    name: 'an empty body in chunks is an empty request',
    run: async ({ httpPort, keys }) => {
      const headers = { authorization: `Bearer ${keys.producer_key}`, 'content-type': PROTOBUF, 'transfer-encoding': 'chunked' }
      expect(statusOf(await talk(httpPort, head(headers) + LAST_CHUNK))).toBe(200)
    },
  },
  {
    ids: ['A25', 'X5'],
    name: 'who waits for 100 Continue is told to go on, or refused before it sends',
    run: async ({ httpPort, keys }) => {
      const ask = (key: string, length: number) =>
        head({ authorization: `Bearer ${key}`, 'content-type': JSON_TYPE, expect: '100-continue', 'content-length': length })
      const goOn = await talk(httpPort, ask(keys.producer_key, 2), { enough: (text) => text.includes('100 Continue') })
      expect(goOn.text).toMatch(/^HTTP\/1\.1 100 Continue/)
      expect(statusOf(await talk(httpPort, `${ask(keys.producer_key, 2)}{}`))).toBe(200)
      expect((await talk(httpPort, ask('wrong', 2))).text).toMatch(/^HTTP\/1\.1 401/)
      expect((await talk(httpPort, ask(keys.producer_key, BODY_MAX_BYTES + 1))).text).toMatch(/^HTTP\/1\.1 413/)
    },
  },
]

/** Paths, methods, sizes and answers of OTLP/HTTP. */
export const transportRows: Row<Stage>[] = [...paths, ...answers, ...bounds]
