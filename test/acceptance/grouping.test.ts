import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { attributes, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000

interface Pain {
  pain_id: string
  title: string
  count: number
}

let product: Product
let keys: ProjectKeys
beforeAll(async () => {
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: '200' } })
  keys = await product.provision('grouping')
}, MINUTE_MS)
afterAll(() => product?.stop())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')
const list = async () => (await readJson<Page<Pain>>(`${product.analyzerUrl}/v1/pains`, keys.agent_key)).items
const post = async <T>(path: string, json: object) => {
  const answer = await callApi(`${product.analyzerUrl}${path}`, { method: 'POST', key: keys.agent_key, json })
  expect(answer.status).toBe(200)
  return answer.json<T>()
}

/** Failing spans of tenants, each in a trace of its own; resolves with all pains when all of them are decided. */
async function failFor(name: string, tenants: readonly string[]): Promise<Pain[]> {
  const spans = tenants.map((tenant) => ({
    ...spanJson({ traceId: hex(16), spanId: hex(8), name, status: { code: 2, message: `${name} declined` } }),
    attributes: attributes({ 'tenant.id': tenant }),
  }))
  expect((await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('shop', spans))).status).toBe(200)
  for (const { traceId } of spans) {
    const receipt = `${product.analyzerUrl}/v1/traces/${traceId}/receipt`
    await until(
      `the decision of ${traceId}`,
      async () => (await readJson<{ decided_at: string | null }>(receipt, keys.agent_key)).decided_at,
    )
  }
  return list()
}

const counts = (pains: readonly Pain[]) => Object.fromEntries(pains.map(({ title, count }) => [title, count]))

test(
  'the collector decides by rules, splits and merges that were made while it runs, and without them when they are gone',
  async () => {
    const [whole] = await failFor('pay', ['x', 'y'])
    const rule = await post<{ rule_id: string }>('/v1/fingerprint-rules', { match: { operation: 'ship' }, by: ['tenant.id'] })
    const ruled = await failFor('ship', ['x', 'x', 'y'])
    expect(counts(ruled)).toMatchObject({
      'Error in ship: ship declined (tenant.id=x)': 2,
      'Error in ship: ship declined (tenant.id=y)': 1,
    })
    await post(`/v1/pains/${whole!.pain_id}/split`, { attribute: 'tenant.id' })
    const split = await failFor('pay', ['x', 'z'])
    expect(counts(split)).toMatchObject({
      'Error in pay: pay declined (tenant.id=x)': 2,
      'Error in pay: pay declined (tenant.id=y)': 1,
      'Error in pay: pay declined (tenant.id=z)': 1,
    })
    const [shipX, shipY] = ruled.filter(({ title }) => title.includes('ship'))
    await post(`/v1/pains/${shipY!.pain_id}/merge`, { into: shipX!.pain_id })
    expect(counts(await failFor('ship', ['y']))).toMatchObject({ [shipX!.title]: 4 })
    const path = `${product.analyzerUrl}/v1/fingerprint-rules?rule_id=${rule.rule_id}`
    expect((await callApi(path, { method: 'DELETE', key: keys.agent_key })).status).toBe(200)
    expect(counts(await failFor('ship', ['x']))).toMatchObject({ 'Error in ship: ship declined': 1, [shipX!.title]: 4 })
  },
  MINUTE_MS,
)
