import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, readJson } from '../harness/reading.ts'
import { type Product, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

interface Verdict {
  verdict: string
  reason: string | null
  before: { failures: number; runs: number }
  after: { failures: number; runs: number }
}

let product: Product
beforeAll(async () => {
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: '200' } })
}, MINUTE_MS)
afterAll(() => product?.stop())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')

interface Stretch {
  endMs: number
  runs: number
  failures: number
  /** W3C tracestate of healthy and of failing spans. */
  healthy: string
  failing: string
}

function spansOf({ endMs, runs, failures, healthy, failing }: Stretch) {
  return Array.from({ length: runs }, (_, i) => {
    const fails = (i * failures) % runs < failures
    return spanJson({
      ...{ traceId: hex(16), spanId: hex(8), name: 'charge', traceState: fails ? failing : healthy },
      startTimeUnixNano: String(BigInt(endMs - HOUR_MS + Math.floor((i * HOUR_MS) / runs)) * 1_000_000n),
      ...(fails && { status: { code: 2, message: 'card declined' } }),
    })
  })
}

const [ONE, TWO, TEN] = ['', 'ot=th:8', 'ot=th:e6666666666666']

test.each([
  // A tenth of the healthy runs is kept, which weights say, and every failure.
  [
    'weights correct a sampler that both sides tell of',
    { runs: 300, failures: 60, healthy: TWO, failing: ONE },
    { runs: 100, failures: 60, healthy: TEN, failing: ONE },
    'refused',
    'insufficient_traffic',
    540,
  ],
  [
    'weights on one side alone, and other traffic, are refused',
    { runs: 300, failures: 60, healthy: ONE, failing: ONE },
    { runs: 300, failures: 60, healthy: TEN, failing: TEN },
    'refused',
    'sampling_changed',
    300,
  ],
  [
    'a sampler that nobody tells of is refused',
    { runs: 1200, failures: 60, healthy: ONE, failing: ONE },
    { runs: 240, failures: 60, healthy: ONE, failing: ONE },
    'refused',
    'sampling_changed',
    1200,
  ],
])('%s', async (name, before, after, verdict, reason, runsBefore) => {
  const nowMs = Date.now()
  const keys = await product.provision(name.slice(0, 30))
  const send = async (stretch: Stretch) =>
    expect((await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('shop', spansOf(stretch)))).status).toBe(200)
  const post = async <T>(path: string, json: object) =>
    (await callApi(`${product.analyzerUrl}${path}`, { method: 'POST', key: keys.agent_key, json })).json<T>()
  await send({ ...before, endMs: nowMs - 3 * HOUR_MS })
  await send({ ...after, endMs: nowMs - 10 * MINUTE_MS })
  const { items } = await until('the pain', async () => {
    const page = await readJson<Page<{ pain_id: string }>>(`${product.analyzerUrl}/v1/pains`, keys.agent_key)
    return page.items.length > 0 ? page : null
  })
  const shipped_at = new Date(nowMs - 2 * HOUR_MS).toISOString()
  await post('/v1/changes', { kind: 'release', pain_ids: [items[0]!.pain_id], shipped_at })
  const said = await until('all to be decided', async () => {
    const one = await post<Verdict>('/v1/runs/verify', { pain_id: items[0]!.pain_id })
    return one.before.failures > 0 && one.after.failures > 0 && one.after.runs > 0 ? one : null
  })
  expect(said).toMatchObject({ verdict, reason })
  expect(Math.round(said.before.runs)).toBe(runsBefore)
})
