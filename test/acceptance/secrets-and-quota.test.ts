import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi, sendOtlp } from '../harness/http.ts'
import { attributes, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { type RecordJson, readAll, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const QUOTA_SPANS = 100

let product: Product
const api = (path: string) => `${product.analyzerUrl}${path}`

beforeAll(async () => {
  product = await startProduct({ env: { LOOPKIT_SANDBOX_QUOTA_SPANS: String(QUOTA_SPANS) } })
}, 60_000)
afterAll(() => product?.stop())

/** Put together here, so that scanners of the source find none. */
const SECRETS = {
  openai: ['sk', `proj-${'Ab3d'.repeat(12)}`].join('-'),
  github: ['ghp', 'aB3d'.repeat(9)].join('_'),
  aws: ['AKIA', 'IOSFODNN7EXAMPL2'].join(''),
  jwt: ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'].join('.'),
}

test.each(['json', 'protobuf'])(
  'secrets are overwritten before anything is stored, their neighbours are not (%s)',
  async (encoding) => {
    const keys = await product.provision(`secrets ${encoding}`)
    const traceId = encoding === 'json' ? 'a'.repeat(32) : 'b'.repeat(32)
    const span = spanJson({
      traceId,
      spanId: 'c'.repeat(16),
      name: 'login',
      status: { code: 2, message: `refused ${SECRETS.github} of ada` },
      attributes: attributes({
        prompt: `use ${SECRETS.openai} please`,
        'http.request.header.authorization': 'Bearer my-own-words',
        'db.password': 'hunter2hunter2',
        'aws.key': SECRETS.aws,
        note: 'nothing to hide',
        'gen_ai.usage.input_tokens': 12,
      }),
      events: [
        { timeUnixNano: '1', name: 'exception', attributes: attributes({ 'exception.message': `token ${SECRETS.jwt} expired` }) },
      ],
    })
    const request = traceRequest('secrets', [span])
    expect(
      (await sendOtlp(product.otlpUrl, keys.producer_key, encoding === 'json' ? request : encodeTraceRequest(request))).status,
    ).toBe(200)
    const [record] = await readAll<RecordJson>(api(`/v1/sessions/${traceId}`), keys.agent_key)
    const shown = JSON.stringify(record)
    for (const secret of [...Object.values(SECRETS), 'my-own-words', 'hunter2hunter2']) expect(shown).not.toContain(secret)
    expect(record).toMatchObject({
      name: 'login',
      status: { message: expect.stringMatching(/^refused \S+ of ada$/) },
      attributes: { note: 'nothing to hide', prompt: expect.stringMatching(/^use \S+ please$/), 'gen_ai.usage.input_tokens': 12 },
    })
    expect(await readJson(api('/v1/ingest/ledger'), keys.agent_key)).toMatchObject({ accepted: 1, redacted: expect.any(Number) })
  },
)

test('no key that was given out lies in a file or in what the processes print', async () => {
  const keys: ProjectKeys = await product.provision('keys at rest')
  await sendOtlp(
    product.otlpUrl,
    keys.producer_key,
    traceRequest('rest', [spanJson({ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) })]),
  )
  const dashboardKey = new URL(keys.dashboard_url).hash.split('=').at(-1) ?? ''
  const files = readdirSync(product.dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  expect(files.length).toBeGreaterThan(3)
  const everything = [product.output(), ...files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))].join(
    '\n',
  )
  for (const secret of [keys.producer_key, keys.agent_key, keys.recovery_code, dashboardKey]) {
    expect(secret.length).toBeGreaterThan(20)
    expect(everything.includes(secret)).toBe(false)
  }
})

test('a quota is counted exactly although bodies arrive at once', async () => {
  const sandbox = (await callApi(api('/v1/signup'), { json: {} })).json<ProjectKeys>()
  const bodies = Array.from({ length: 15 }, (_, body) =>
    traceRequest(
      'quota',
      Array.from({ length: 10 }, (_, at) =>
        spanJson({ traceId: String(body + 1).padStart(32, '0'), spanId: String(at + 1).padStart(16, '0') }),
      ),
    ),
  )
  const send = (body: object) => sendOtlp(product.otlpUrl, sandbox.producer_key, body)
  const answers = await Promise.all(bodies.map(send))
  const rejected = answers.map((answer) =>
    Number(answer.json<{ partialSuccess?: { rejectedSpans: string } }>().partialSuccess?.rejectedSpans ?? 0),
  )
  expect(rejected.reduce((sum, count) => sum + count, 0)).toBe(150 - QUOTA_SPANS)
  expect(await readJson(api('/v1/ingest/ledger'), sandbox.agent_key)).toMatchObject({ accepted: QUOTA_SPANS })
  // What is stored may come again for nothing.
  const stored = bodies[rejected.indexOf(0)]
  if (stored) expect((await send(stored)).text).toBe('{}')
})
