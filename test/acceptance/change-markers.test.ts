import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sendOtlp, until } from '../harness/http.ts'
import { attributes, type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000

interface ChangeJson {
  kind: string
  service: string
  ref: string
  shipped_at: string
  source: string
}

let product: Product
let keys: ProjectKeys
beforeAll(async () => {
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: '200' } })
  keys = await product.provision('agents')
}, MINUTE_MS)
afterAll(() => product?.stop())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')
const startMs = Date.now() - 60 * MINUTE_MS
/** A model call of an agent, so many minutes into the hour. */
const call = (agent: string, minute: number, more: Record<string, string>): SpanJson =>
  spanJson({
    ...{ traceId: hex(16), spanId: hex(8), name: 'chat' },
    startTimeUnixNano: String(BigInt(startMs + minute * MINUTE_MS) * 1_000_000n),
    attributes: attributes({ 'gen_ai.operation.name': 'chat', 'gen_ai.agent.name': agent, ...more }),
  })
const tools = (description: string) => JSON.stringify([{ name: 'search', description, parameters: { type: 'object' } }])
const send = async (spans: SpanJson[]) =>
  expect((await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('agents', spans))).status).toBe(200)
const changes = async () => (await readJson<Page<ChangeJson>>(`${product.analyzerUrl}/v1/changes`, keys.agent_key)).items

test(
  'a model, a prompt and a tool schema that take the place of others are changes of their first run; an agent that wakes up is none',
  async () => {
    await send([
      call('planner', 1, { 'gen_ai.request.model': 'small', 'prompt.version': '1', 'gen_ai.tool.definitions': tools('finds') }),
    ])
    // Sent, decided and asked for before the runs that came before it.
    await send([
      call('planner', 40, { 'gen_ai.request.model': 'large', 'prompt.version': '2', 'gen_ai.tool.definitions': tools('seeks') }),
    ])
    await until('the changes as of their later runs', async () => ((await changes()).length >= 3 ? true : null))
    await send([
      call('planner', 30, { 'gen_ai.request.model': 'large', 'prompt.version': '2', 'gen_ai.tool.definitions': tools('seeks') }),
    ])
    await send([call('sleeper', 50, { 'gen_ai.request.model': 'tiny', 'prompt.version': '9' })])
    const at = new Date(startMs + 30 * MINUTE_MS).toISOString()
    const found = await until('three changes', async () => {
      const items = await changes()
      return items.length >= 3 && items.every(({ shipped_at }) => shipped_at === at) ? items : null
    })
    expect(found.map(({ kind, ref }) => `${kind} ${ref}`).sort()).toEqual([
      'model chat planner: large',
      'prompt chat planner: 2',
      expect.stringMatching(/^tool_schema search: [0-9a-f]{12}$/),
    ])
    expect(found.every(({ source, service }) => source === 'telemetry' && service === 'agents')).toBe(true)
    await send([call('planner', 45, { 'gen_ai.request.model': 'large', 'prompt.version': '2' })])
    expect(await changes()).toEqual(found)
  },
  MINUTE_MS,
)
