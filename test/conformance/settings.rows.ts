import { expect } from '@jest/globals'
import { callApi } from '../harness/http.ts'
import { readHttpAnswer } from './answers.ts'
import { oneSpan } from './bodies.ts'
import type { Row } from './rule-ids.ts'
import { holdAllRoom, LIMITS, ORIGIN, PREFIX } from './settings-stage.ts'
import type { Stage } from './stage.ts'

const PATH = `${PREFIX}/v1/traces`
const JSON_TYPE = 'application/json'
const span = (traceId: string): string => oneSpan('"name":"x"').replaceAll('$T', traceId)

const preflight = ({ product }: Stage, origin: string, headers = 'authorization, content-type, x-own') =>
  callApi(`${product.otlpUrl}${PATH}`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
  })

const prefixed: Row<Stage>[] = [
  {
    ids: ['A1'],
    name: 'exporters append /v1/traces to a base of one’s own, and nothing answers without it',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      expect((await stage.post(span(traceId), {}, PATH)).status).toBe(200)
      expect((await stage.post(span(traceId))).status).toBe(404)
      for (const signal of ['logs', 'metrics']) expect((await stage.post('{}', {}, `${PREFIX}/v1/${signal}`)).status).toBe(200)
      expect(await stage.records(traceId)).toHaveLength(1)
    },
  },
  {
    ids: ['A1', 'A5'],
    name: 'the analyzer takes the same and hands it on, with the same answers',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const send = (body: string) =>
        callApi(`${stage.product.analyzerUrl}/v1/traces`, {
          key: stage.keys.producer_key,
          body,
          headers: { 'content-type': JSON_TYPE },
        })
      expect(readHttpAnswer(await send(span(traceId)), 'json')).toEqual({ status: 200, code: 0, rejected: 0, message: '' })
      expect(readHttpAnswer(await send('{'), 'json')).toMatchObject({ status: 400, code: 3 })
      expect(await stage.records(traceId)).toHaveLength(1)
    },
  },
]

const browsers: Row<Stage>[] = [
  ...[ORIGIN, 'https://shop.example.org'].map(
    (origin): Row<Stage> => ({
      ids: ['A20', 'X1'],
      name: `a browser on ${origin} may ask, send, and read the answer, errors too`,
      run: async (stage) => {
        const asked = await preflight(stage, origin)
        expect([asked.status, asked.text]).toEqual([204, ''])
        expect(asked.headers.get('access-control-allow-origin')).toBe(origin)
        expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
        expect(asked.headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type.*x-own/)
        for (const [body, status, path] of [
          ['{}', 200, PATH],
          ['{', 400, PATH],
          ['{}', 404, '/nowhere'],
        ] as const) {
          const answer = await stage.post(body, { origin }, path)
          expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([status, origin])
        }
      },
    }),
  ),
  ...['https://app.example.evil', 'http://app.example', 'null', 'https://example.org.evil'].map(
    (origin): Row<Stage> => ({
      ids: ['A20'],
      name: `a browser on ${origin} is told nothing`,
      run: async (stage) => {
        expect((await preflight(stage, origin)).headers.get('access-control-allow-origin')).toBeNull()
        expect((await stage.post('{}', { origin }, PATH)).headers.get('access-control-allow-origin')).toBeNull()
      },
    }),
  ),
]

const limits: Row<Stage>[] = [
  {
    ids: ['A16', 'P9', 'X1', 'X3', 'X4', 'X7'],
    name: 'without room the answer is a 503 with a whole second, in the encoding of the request',
    run: async (stage) => {
      const letGo = await holdAllRoom(stage)
      for (const [encoding, body] of [
        ['json', '{"resourceSpans":[]}'],
        ['protobuf', new Uint8Array([0x0a, 0])],
      ] as const) {
        const answer = await stage.post(body, {}, PATH)
        const said = readHttpAnswer(answer, encoding)
        expect(said).toMatchObject({ status: 503, code: 14, message: expect.stringMatching(/^in_flight_full: /) })
        expect(answer.headers.get('retry-after')).toBe('1')
      }
      letGo()
      expect((await stage.post('{}', {}, PATH)).status).toBe(200)
    },
  },
  {
    ids: ['A9', 'O29'],
    name: 'the limit of a body is a setting',
    run: async (stage) => {
      const body = `{"x":"${'x'.repeat(LIMITS.bodyMaxBytes)}"}`
      expect(readHttpAnswer(await stage.post(body, {}, PATH), 'json')).toMatchObject({
        status: 413,
        code: 8,
        message: expect.stringMatching(/^body_too_large: .*2097152/),
      })
    },
  },
  {
    ids: ['A21'],
    name: 'a wrong key is wrong although no key would do',
    run: async ({ product, post }) => {
      expect((await callApi(`${product.otlpUrl}${PATH}`, { body: '{}', headers: { 'content-type': JSON_TYPE } })).status).toBe(
        200,
      )
      expect((await post('{}', { authorization: 'Bearer wrong' }, PATH)).status).toBe(401)
    },
  },
]

/** What settings change at the door: prefix, browsers, limits. */
export const settingsRows: Row<Stage>[] = [...prefixed, ...browsers, ...limits]
