import { zstdCompressSync } from 'node:zlib'
import { expect } from '@jest/globals'
import { mulberry32 } from '../demo/random.ts'
import { callApi, until } from '../harness/http.ts'
import { attribute, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { type Page, type RecordJson, readJson } from '../harness/reading.ts'
import type { ProjectKeys } from '../harness/start-product.ts'
import { readHttpAnswer } from './answers.ts'
import { A, B, both, jsonRequest, jsonSpan, oneSpan, TRACE } from './bodies.ts'
import { head, hear, openSocket, statusOf } from './raw-http.ts'
import type { Row } from './rule-ids.ts'
import type { Stage } from './stage.ts'

export const ADMIN_TOKEN = 'conformance-admin-token-of-a-test-0123456789'
const SEED = 11
const MUTATIONS = 300
/** Generous, for machines that do something else too; each takes seconds. */
const TIMEOUT_MS = 180_000
const JSON_TYPE = 'application/json'
const PROTOBUF = 'application/x-protobuf'

const spanId = (n: number): string => n.toString(16).padStart(16, '0')
const read = <T>({ product, keys }: Stage, path: string): Promise<T> =>
  readJson<T>(`${product.analyzerUrl}${path}`, keys.agent_key)

const damage: Row<Stage>[] = [
  {
    ids: ['A22', 'D2'],
    name: `no damaged body is a 500, and none ends the process (seed ${SEED})`,
    timeoutMs: TIMEOUT_MS,
    run: async (stage) => {
      const random = mulberry32(SEED)
      const pid = stage.product.collectorPid()
      const sound = both(
        { attributes: [attribute('k', 'v'), attribute('n', 7)], events: [{ name: 'e' }], status: { code: 2, message: 'm' } },
        { spanId: B },
      )
      for (let n = 0; n < MUTATIONS; n++) {
        const request = sound(stage.newTraceId())
        const isJson = n % 2 === 0
        const body = Buffer.from(isJson ? JSON.stringify(request) : encodeTraceRequest(request))
        for (let flips = 1 + Math.floor(random() * 3); flips > 0; flips--)
          body[Math.floor(random() * body.length)] = Math.floor(random() * 256)
        const cut = random() < 0.2 ? body.subarray(0, Math.floor(random() * body.length)) : body
        const said = readHttpAnswer(
          await stage.post(new Uint8Array(cut), { 'content-type': isJson ? JSON_TYPE : PROTOBUF }),
          isJson ? 'json' : 'protobuf',
        )
        expect([200, 400]).toContain(said.status)
        if (!isJson) expect([0, 3]).toContain((await stage.grpc.call(new Uint8Array(cut))).code)
      }
      expect([(await callApi(`${stage.product.otlpUrl}/health`)).status, stage.product.collectorPid()]).toEqual([200, pid])
      expect(stage.product.output()).not.toContain('"code":"internal"')
    },
  },
  {
    ids: ['O65', 'O17'],
    name: 'two megabytes of keys that look like integers cost no more than others',
    timeoutMs: TIMEOUT_MS,
    run: async (stage) => {
      const keys = Array.from({ length: 150_000 }, (_, n) => `"${n * 65_536}"`)
      const unknown = `{"x":{${keys.map((key) => `${key}:0`).join(',')}},"resourceSpans":[]}`
      const plain = oneSpan(`"attributes":{${keys.map((key) => `${key}:1`).join(',')}}`)
      const listed = oneSpan(
        `"attributes":[${keys
          .slice(0, 50_000)
          .map((key) => `{"key":${key},"value":{"intValue":"1"}}`)
          .join(',')}]`,
      )
      for (const body of [unknown, plain, listed]) {
        const traceId = stage.newTraceId()
        const startMs = performance.now()
        expect((await stage.post(body.replaceAll(TRACE, traceId))).text).toBe('{}')
        const records = await stage.records(traceId)
        expect(performance.now() - startMs).toBeLessThan(10_000)
        if (body !== unknown) expect(Object.keys(records[0]?.attributes ?? {})).toHaveLength(256)
      }
    },
  },
]

const projects: Row<Stage>[] = [
  {
    ids: ['O50'],
    name: 'the keys of a deleted project are dead at once, over both protocols',
    side: 'contract §2: its keys die, so they are unknown; the faults have a 403 tenant_suspended. Neither is retried',
    run: async (stage) => {
      const gone = await stage.product.provision('to be deleted')
      const send = () =>
        stage.post(oneSpan('"name":"x"').replaceAll(TRACE, stage.newTraceId()), { authorization: `Bearer ${gone.producer_key}` })
      expect((await send()).status).toBe(200)
      const deleted = await callApi(`${stage.product.analyzerUrl}/admin/projects/${gone.project_id}`, {
        method: 'DELETE',
        key: ADMIN_TOKEN,
      })
      expect(deleted.status).toBe(200)
      expect(readHttpAnswer(await send(), 'json')).toMatchObject({
        status: 401,
        code: 16,
        message: expect.stringMatching(/^invalid_api_key: /),
      })
      expect((await stage.grpc.call(new Uint8Array(0), { key: gone.producer_key })).code).toBe(16)
    },
  },
  {
    ids: ['O50'],
    name: 'a sandbox that has ended is a 403 with a code of its own',
    run: async (stage) => {
      const api = stage.product.analyzerUrl
      const sandbox = (await callApi(`${api}/v1/signup`, { json: {} })).json<ProjectKeys>()
      const ended = await callApi(`${api}/admin/projects/${sandbox.project_id}`, {
        method: 'PATCH',
        key: ADMIN_TOKEN,
        json: { expires_at: '2026-01-01T00:00:00Z' },
      })
      expect(ended.status).toBe(200)
      const answer = await stage.post('{}', { authorization: `Bearer ${sandbox.producer_key}` })
      expect(readHttpAnswer(answer, 'json')).toMatchObject({
        status: 403,
        code: 7,
        message: expect.stringMatching(/^sandbox_expired: /),
      })
    },
  },
]

/** More than the usual limits of one read, so that whoever asks for exactly this trace is shown all of it. */
const CHAIN_SPANS = 100_000
const STARTED_MS = 1_781_856_000_000
/** Beyond the stack that a regular expression has for a run of characters. */
const LONG_CHARACTERS = 8 * 1024 ** 2

const large: Row<Stage>[] = [
  {
    ids: ['O9'],
    name: 'a chain of 100,000 failing spans is stored whole, counted whole and readable to its end',
    timeoutMs: TIMEOUT_MS,
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const spans = Array.from({ length: CHAIN_SPANS }, (_, n) =>
        spanJson({
          traceId,
          spanId: spanId(n + 1),
          startTimeUnixNano: String(BigInt(STARTED_MS + n) * 1_000_000n),
          endTimeUnixNano: String(BigInt(STARTED_MS + n) * 1_000_000n + 1n),
          status: { code: 2 },
          ...(n > 0 && { parentSpanId: spanId(n) }),
        }),
      )
      expect((await stage.post(JSON.stringify(traceRequest('chain', spans)))).text).toBe('{}')
      expect(await read(stage, `/v1/traces/${traceId}/receipt`)).toMatchObject({ found: true, spans: CHAIN_SPANS })
      const from = new Date(STARTED_MS + CHAIN_SPANS - 10).toISOString()
      const { items } = await read<Page<RecordJson>>(stage, `/v1/sessions/${traceId}?view=errors&from=${from}`)
      expect(items.map(({ span_id }) => span_id)).toEqual(Array.from({ length: 10 }, (_, n) => spanId(CHAIN_SPANS - 9 + n)))
      // A busy machine may take longer than a diagnosis is allowed to; what it has read so far is then at hand.
      await until(
        'a diagnosis',
        async () => {
          const asked = { key: stage.keys.agent_key, json: { since_minutes: 60 } }
          const { status } = await callApi(`${stage.product.analyzerUrl}/v1/runs/diagnose`, asked)
          expect([200, 503]).toContain(status)
          return status === 200 ? true : null
        },
        TIMEOUT_MS / 2,
      )
    },
  },
  ...[
    ['sk-', 'aB-'],
    ['Bearer ', 'a'],
    ['basic ', 'YTpi'],
  ].map(
    ([prefix = '', piece = '']): Row<Stage> => ({
      ids: ['O19'],
      name: `a text of 8 MB that begins like a secret (${prefix}) is stored, its neighbours too`,
      timeoutMs: TIMEOUT_MS,
      run: async (stage) => {
        const traceId = stage.newTraceId()
        const text = prefix + piece.repeat(LONG_CHARACTERS / piece.length)
        const body = JSON.stringify(
          both({ attributes: [attribute('text', text)] }, { spanId: B, attributes: [attribute('text', 'short')] })(traceId),
        )
        const sent = await stage.post(zstdCompressSync(body), { 'content-type': JSON_TYPE, 'content-encoding': 'zstd' })
        expect([sent.status, sent.text]).toEqual([200, '{}'])
        expect(await stage.records(traceId)).toMatchObject([
          { span_id: A, attributes: { text: expect.stringMatching(/^(sk-|Bearer |basic )\*+/) } },
          { span_id: B },
        ])
      },
    }),
  ),
]

const stops: Row<Stage>[] = [
  {
    ids: ['A23'],
    name: 'a request under way at SIGTERM is answered and stored, nobody new is let in, and the end is clean',
    timeoutMs: TIMEOUT_MS,
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const body = jsonRequest(jsonSpan('"name":"last"')).replaceAll(TRACE, traceId)
      const headers = {
        authorization: `Bearer ${stage.keys.producer_key}`,
        'content-type': JSON_TYPE,
        'content-length': body.length,
      }
      const socket = openSocket(stage.httpPort)
      const heard = hear(socket, () => socket.write(head(headers) + body.slice(0, 20)))
      while ((await stage.metric(/loopkit_in_flight_bytes (\d+)/)) === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      const ended = stage.product.endCollector('SIGTERM')
      while (
        await callApi(`${stage.product.otlpUrl}/health`, { headers: { connection: 'close' } }).then(
          () => true,
          () => false,
        )
      );
      socket.write(body.slice(20))
      expect(statusOf(await heard)).toBe(200)
      expect(await ended).toBe(0)
      await stage.product.restartCollector()
      expect(await stage.records(traceId)).toMatchObject([{ name: 'last' }])
    },
  },
]

/** What is damaged, hostile or huge, who may no longer send, and the end of the process. */
export const hostileRows = [...damage, ...projects, ...large, ...stops]
