import { zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi, sendOtlp } from '../harness/http.ts'
import { attribute, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, type RecordJson, readAll, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

/** More than the usual limits of one read, so that whoever asks for exactly this trace is shown all of it. */
const CHAIN_SPANS = 60_000
const STARTED_MS = 1_781_856_000_000
/** Beyond the stack that a regular expression has for a run of characters. */
const LONG_CHARACTERS = 8 * 1024 ** 2

let product: Product
let keys: ProjectKeys

beforeAll(async () => {
  product = await startProduct()
  keys = await product.provision('large input')
}, 60_000)
afterAll(() => product?.stop())

const spanId = (n: number) => n.toString(16).padStart(16, '0')
const read = <T>(path: string) => readJson<T>(`${product.analyzerUrl}${path}`, keys.agent_key)

test('a chain of 60,000 failing spans is stored whole, counted whole and readable to its end', async () => {
  const traceId = '6'.repeat(32)
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
  const sent = await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('chain', spans))
  expect([sent.status, sent.text]).toEqual([200, '{}'])
  expect(await read(`/v1/traces/${traceId}/receipt`)).toMatchObject({ found: true, spans: CHAIN_SPANS })
  const from = new Date(STARTED_MS + CHAIN_SPANS - 10).toISOString()
  const { items } = await read<Page<RecordJson>>(`/v1/sessions/${traceId}?view=errors&from=${from}`)
  expect(items.map(({ span_id }) => span_id)).toEqual(Array.from({ length: 10 }, (_, n) => spanId(CHAIN_SPANS - 9 + n)))
  const diagnosis = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, { key: keys.agent_key, json: { since_minutes: 60 } })
  expect(diagnosis.status).toBe(200)
}, 120_000)

test.each([
  ['sk-', 'aB-'],
  ['Bearer ', 'a'],
  ['basic ', 'YTpi'],
])(
  'a text of 8 MB that begins like a secret (%s) is stored, its neighbours too',
  async (prefix, piece) => {
    const traceId = Buffer.from(prefix.padEnd(16, 'x')).toString('hex')
    const text = prefix + piece.repeat(LONG_CHARACTERS / piece.length)
    const request = traceRequest('long', [
      spanJson({ traceId, spanId: spanId(1), attributes: [attribute('text', text)] }),
      spanJson({ traceId, spanId: spanId(2), attributes: [attribute('text', 'short')] }),
    ])
    const sent = await callApi(`${product.otlpUrl}/v1/traces`, {
      key: keys.producer_key,
      body: zstdCompressSync(JSON.stringify(request)),
      headers: { 'content-type': 'application/json', 'content-encoding': 'zstd' },
    })
    expect([sent.status, sent.text]).toEqual([200, '{}'])
    const stored = await readAll<RecordJson>(`${product.analyzerUrl}/v1/sessions/${traceId}`, keys.agent_key)
    expect(stored.map(({ span_id }) => span_id).sort()).toEqual([spanId(1), spanId(2)])
    expect(stored.find(({ span_id }) => span_id === spanId(1))?.attributes.text).toMatch(/^(sk-|Bearer |basic )\*+/)
  },
  60_000,
)
