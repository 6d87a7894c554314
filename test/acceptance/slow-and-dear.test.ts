import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { attributes, type ResourceSpansJson, type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, type RecordJson, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

interface Issue {
  pain_id: string
  title: string
  signal_type: string
  severity: string
  count: number
  session_count: number
  evidence_ids: string[]
  traces: { session_id: string }[]
  why: string
  blast_radius: { services: string[] }
  contrasts: { attributes: Record<string, unknown> }[] | null
  eval_candidate: unknown
  issue_draft: { title: string; body_md: string }
  patch_plan: { steps: string[] }
  unavailable: Record<string, string>
}

let product: Product
beforeAll(async () => {
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: '1000' } })
}, MINUTE_MS)
afterAll(() => product?.stop())

const read = <T>(keys: ProjectKeys, path: string) => readJson<T>(`${product.analyzerUrl}${path}`, keys.agent_key)

async function issuesOf(keys: ProjectKeys, since_minutes = 1440): Promise<Issue[]> {
  const answer = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, { key: keys.agent_key, json: { since_minutes } })
  return answer.json<{ packet: { issues: Issue[] } }>().packet.issues
}

function waitingSketches(): number {
  const db = new Database(join(product.dataDir, 'telemetry.db'), { readonly: true })
  try {
    return db.prepare('select count(*) from sketch_delta').pluck().get() as number
  } finally {
    db.close()
  }
}

async function send(keys: ProjectKeys, parts: ResourceSpansJson[][]): Promise<void> {
  for (let at = 0; at < parts.length; at += 200)
    await sendOtlp(product.otlpUrl, keys.producer_key, { resourceSpans: parts.slice(at, at + 200).flat() })
}

/** Ids from what they stand for, so that two projects get the same. */
const hex = (bytes: number, ...of: unknown[]) =>
  createHash('sha256')
    .update(JSON.stringify(of))
    .digest('hex')
    .slice(0, 2 * bytes)
/** Uniform in (0, 1). */
const chance = (...of: unknown[]) => (Number.parseInt(hex(6, ...of), 16) + 0.5) / 2 ** 48
const nano = (ms: number) => String(BigInt(Math.round(ms)) * 1_000_000n)

/** A request of one service that waits for a query of another. */
function orderTrace(name: string, startMs: number, queryMs: number, region: string): ResourceSpansJson[] {
  const traceId = hex(16, name)
  const [root, query] = [hex(8, name, 'root'), hex(8, name, 'query')]
  const span = (given: Partial<SpanJson> & { spanId: string }, values: Record<string, string>): SpanJson => ({
    ...spanJson({ traceId, ...given }),
    attributes: attributes(values),
  })
  const gateway = span(
    { spanId: root, kind: 2, startTimeUnixNano: nano(startMs), endTimeUnixNano: nano(startMs + queryMs + 12) },
    { 'http.request.method': 'GET', 'http.route': '/orders', 'session.id': `visit ${hex(2, name)}` },
  )
  const select = span(
    {
      spanId: query,
      parentSpanId: root,
      kind: 3,
      startTimeUnixNano: nano(startMs + 5),
      endTimeUnixNano: nano(startMs + 5 + queryMs),
    },
    { 'db.system.name': 'postgresql', 'db.operation.name': 'SELECT', 'db.collection.name': 'orders', 'cloud.region': region },
  )
  return [
    ...traceRequest('gateway', [gateway]).resourceSpans,
    ...traceRequest('orders', [select], { 'service.version': '2.1.0' }).resourceSpans,
  ]
}

const slowOnes = (nowMs: number, order: (n: number) => number = (n) => n) =>
  Array.from({ length: 520 }, (_, n) => order(n)).map((n) =>
    orderTrace(
      `order ${n}`,
      nowMs - 50_000 + 80 * n,
      n % 26 === 3 ? 5000 + (n % 9) : 90 + 20 * chance(n),
      n % 26 === 3 ? 'eu-2' : `r${n % 4}`,
    ),
  )

test('a newcomer whose queries are slow at times finds one pain in his first diagnosis, on the query, with all that a pain has', async () => {
  const keys = await product.provision('newcomer')
  await send(keys, slowOnes(Date.now()))
  const issues = await issuesOf(keys)
  expect(issues.map(({ signal_type, title }) => [signal_type, title])).toEqual([['slow', 'Slow in SELECT orders']])
  const [issue] = issues as [Issue]
  expect(issue).toMatchObject({
    count: 20,
    eval_candidate: null,
    severity: 'low',
    blast_radius: { services: ['gateway', 'orders'] },
  })
  expect(issue.unavailable.eval_candidate).toBe('no_assertion_on_time_or_cost')
  expect(issue.contrasts?.[0]?.attributes).toMatchObject({ 'cloud.region': 'eu-2' })
  expect(issue.why).toMatch(/20 of 520 runs took more than [\d.]+ s; usual are p50 1\d\d ms, p90 1\d\d ms, p99 1\d\d ms/)
  expect(issue.issue_draft.body_md).toMatch(/view=skeleton/)
  expect(issue.traces[0]!.session_id).toMatch(/^visit /)
  expect(issue.patch_plan.steps.join('\n')).not.toMatch(/eval candidate/)
  expect(issue.evidence_ids.length).toBeGreaterThanOrEqual(5)
  for (const id of issue.evidence_ids) {
    const { items } = await read<Page<RecordJson>>(keys, `/v1/telemetry?record_id=${id}`)
    expect(items).toMatchObject([{ record_id: id, service: 'orders', signal_type: 'slow' }])
  }
  const listed = await read<Page<RecordJson>>(keys, '/v1/telemetry?signal_type=slow')
  expect(listed.items.map(({ record_id }) => record_id).sort()).toEqual([...issue.evidence_ids].sort())

  expect((await read<Page<Issue>>(keys, '/v1/pains?service=gateway')).items).toEqual([])
  const pains = await read<Page<Issue>>(keys, '/v1/pains')
  expect(pains.items.map(({ pain_id }) => pain_id)).toEqual([issue.pain_id])
  const why = await read<{ steps: { step: string; value: string }[]; because: string }>(keys, `/v1/pains/${issue.pain_id}/why`)
  expect(Object.fromEntries(why.steps.map(({ step, value }) => [step, value]))).toMatchObject({
    measure: 'latency',
    beyond: '20 of 520 runs',
  })
  expect(why.because).toMatch(/stand apart/)
  const split = { key: keys.agent_key, json: { attribute: 'cloud.region' } }
  expect((await callApi(`${product.analyzerUrl}/v1/pains/${issue.pain_id}/split`, split)).status).toBe(409)
}, 120_000)

test('an agent observes a slow operation until it has decided about it; a mute and its end are heeded', async () => {
  const keys = await product.provision('observer')
  await send(keys, slowOnes(Date.now()))
  const call = async <T>(path: string, json: unknown) =>
    (await callApi(`${product.analyzerUrl}${path}`, { key: keys.agent_key, json })).json<T>()
  interface Observed {
    observation_id: string
    new: { pain_id: string; count: number; evidence_ids: string[] }[]
  }
  const first = await call<Observed>('/v1/observe', {})
  expect(first.new).toMatchObject([{ signal_type: 'slow', title: 'Slow in SELECT orders', count: 20, first_time: true }])
  expect((await call<Observed>('/v1/observe', {})).new).toEqual(first.new)
  const [{ pain_id }] = first.new as [Observed['new'][0]]
  await call(`/v1/pains/${pain_id}/mute`, { reason: 'known' })
  expect(await issuesOf(keys)).toEqual([])
  expect((await call<Observed>('/v1/observe', { peek: true })).new).toEqual([])
  await call(`/v1/pains/${pain_id}/unmute`, {})
  expect(await issuesOf(keys)).toMatchObject([{ pain_id }])
  await call('/v1/decide', { observation_id: first.observation_id, decisions: [{ pain_id, next: 'skip' }] })
  expect((await call<Observed>('/v1/observe', {})).new).toEqual([])
}, 60_000)

test('the same runs in another order, rolled up and after a crash, are the same pain', async () => {
  const nowMs = Date.now()
  const told = ({ pain_id: _id, issue_draft: _draft, patch_plan: _plan, unavailable: _un, ...issue }: Issue) =>
    JSON.stringify(issue).replaceAll(/pain_\w+/g, 'pain')
  const [one, other] = [await product.provision('one'), await product.provision('other')]
  await send(one, slowOnes(nowMs))
  await send(
    other,
    slowOnes(nowMs, (n) => (n * 137) % 520),
  )
  const first = (await issuesOf(one)).map(told)
  expect((await issuesOf(other)).map(told)).toEqual(first)
  await product.endCollector('SIGKILL')
  await product.restartCollector()
  expect((await issuesOf(one)).map(told)).toEqual(first)
  await until('all sketches to be rolled up', () => (waitingSketches() === 0 ? true : null))
  expect((await issuesOf(one)).map(told)).toEqual(first)
  expect((await issuesOf(other)).map(told)).toEqual(first)
}, 120_000)

test('runs whose times only scatter widely are no pain, nor is a wait for a person', async () => {
  const keys = await product.provision('scattered')
  const normal = (n: number) => Math.sqrt(-2 * Math.log(chance('u', n))) * Math.cos(2 * Math.PI * chance('v', n))
  const startMs = Date.now() - 50_000
  const spans = Array.from({ length: 520 }, (_, n) => {
    const start = startMs + 50 * n
    const make = (name: string, ms: number) =>
      spanJson({
        traceId: hex(16, name, n),
        spanId: hex(8, name, n),
        name,
        startTimeUnixNano: nano(start),
        endTimeUnixNano: nano(start + ms),
      })
    return [make('search', 120 * Math.exp(1.3 * normal(n))), make('human approval', n % 26 === 0 ? 600_000 : 2_000)]
  })
  await send(
    keys,
    spans.map((pair) => traceRequest('shop', pair).resourceSpans),
  )
  expect(await issuesOf(keys)).toEqual([])
}, 60_000)

test('an operation that takes three times as long as in the days before is one pain, judged by its history', async () => {
  const keys = await product.provision('history')
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  const spans = Array.from({ length: 60 }, (_, hour) => 60 - hour).flatMap((ago) =>
    Array.from({ length: 40 }, (_, n) => {
      const start = hourMs - ago * HOUR_MS + n * MINUTE_MS
      const ms = (ago <= 2 ? 3 : 1) * (250 + 100 * chance(ago, n))
      const ids = { traceId: hex(16, 'h', ago, n), spanId: hex(8, 'h', ago, n) }
      return spanJson({ ...ids, name: 'render', startTimeUnixNano: nano(start), endTimeUnixNano: nano(start + ms) })
    }),
  )
  await send(
    keys,
    spans.map((span) => traceRequest('web', [span]).resourceSpans),
  )
  const issues = await issuesOf(keys)
  expect(issues.map(({ title, count }) => [title, count])).toEqual([['Slow in render', 80]])
  expect(issues[0]!.why).toMatch(/judged by \d+ earlier runs/)
  const verdict = await callApi(`${product.analyzerUrl}/v1/runs/verify`, {
    key: keys.agent_key,
    json: { pain_id: issues[0]!.pain_id },
  })
  expect(verdict.json<{ verdict?: string }>().verdict).not.toBe('held')
}, 60_000)

test('a verdict on a slow operation counts its slow runs on both sides, and is no verdict where nothing ran since', async () => {
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  const verdictOf = async (name: string, slowUntil: number, lastAgo: number) => {
    const keys = await product.provision(name)
    const hours = Array.from({ length: 70 - lastAgo }, (_, n) => 69 - n)
    const spans = hours.flatMap((ago) =>
      Array.from({ length: 40 }, (_, n) => {
        const start = hourMs - ago * HOUR_MS + n * MINUTE_MS
        const ms = (ago < 36 && ago >= slowUntil ? 4 : 1) * (250 + 100 * chance(ago, n))
        const ids = { traceId: hex(16, name, ago, n), spanId: hex(8, name, ago, n) }
        return spanJson({ ...ids, name: 'render', startTimeUnixNano: nano(start), endTimeUnixNano: nano(start + ms) })
      }),
    )
    await send(
      keys,
      spans.map((span) => traceRequest('web', [span]).resourceSpans),
    )
    const [issue] = await issuesOf(keys)
    const call = (path: string, json: unknown) => callApi(`${product.analyzerUrl}${path}`, { key: keys.agent_key, json })
    const shipped_at = new Date(hourMs - 18 * HOUR_MS + 20 * MINUTE_MS).toISOString()
    await call('/v1/changes', { kind: 'config', pain_ids: [issue!.pain_id], shipped_at })
    const answer = await call('/v1/runs/verify', { pain_id: issue!.pain_id })
    return answer.json<{ verdict: string; reason: string | null; before: Counts; after: Counts }>()
  }
  interface Counts {
    failures: number
    runs: number
  }
  const held = await verdictOf('mended', 18, 1)
  expect(held).toMatchObject({ verdict: 'held', before: { failures: 17 * 40 } })
  expect(held.after.failures).toBeLessThan(5)
  expect(await verdictOf('as before', 0, 1)).toMatchObject({ verdict: 'unchanged' })
  const silent = await verdictOf('silent', 18, 18)
  expect(silent.verdict).toBe('refused')
}, 90_000)

test('agent runs that cost far more than the others are one pain of the agent', async () => {
  const keys = await product.provision('dear')
  const startMs = Date.now() - 50_000
  const runs = Array.from({ length: 240 }, (_, n) => {
    const traceId = hex(16, 'a', n)
    const [agent, chat] = [hex(8, 'agent', n), hex(8, 'chat', n)]
    const times = { startTimeUnixNano: nano(startMs + 10 * n), endTimeUnixNano: nano(startMs + 10 * n + 900) }
    const step = (given: Partial<SpanJson> & { spanId: string }, values: Record<string, string | number>): SpanJson => ({
      ...spanJson({ traceId, ...times, ...given }),
      attributes: attributes({ 'gen_ai.agent.name': 'planner', 'session.id': `s${n}`, ...values }),
    })
    const tokens = n % 24 === 5 ? 180_000 : 2_000 + Math.round(1_000 * chance('t', n))
    return traceRequest('agents', [
      step({ spanId: agent, name: 'invoke_agent planner' }, { 'gen_ai.operation.name': 'invoke_agent' }),
      step(
        { spanId: chat, parentSpanId: agent, name: 'chat' },
        {
          ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.response.model': 'gpt-4o' },
          ...{ 'gen_ai.usage.input_tokens': tokens, 'gen_ai.usage.output_tokens': 200 },
        },
      ),
    ]).resourceSpans
  })
  await send(keys, runs)
  const issue = await until(
    'the decision of the runs',
    async () => (await issuesOf(keys)).find(({ signal_type, count }) => signal_type === 'cost_outlier' && count === 10) ?? null,
    30_000,
  )
  expect(issue).toMatchObject({ title: 'Cost outlier in invoke_agent planner', count: 10 })
  expect(issue.why).toMatch(/10 of 240 runs cost more than \$/)
  for (const id of issue.evidence_ids)
    expect((await read<Page<RecordJson>>(keys, `/v1/telemetry?record_id=${id}`)).items).toMatchObject([{ record_id: id }])

  // A late call of a run that was measured takes its place, and is no run of its own.
  const late = {
    traceId: hex(16, 'a', 0),
    parentSpanId: hex(8, 'agent', 0),
    startTimeUnixNano: nano(startMs),
    endTimeUnixNano: nano(startMs + 800),
  }
  const usage = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.usage.input_tokens': 190_000,
    'gen_ai.usage.output_tokens': 9,
  }
  await send(keys, [
    traceRequest('agents', [
      {
        ...spanJson({ spanId: hex(8, 'late'), ...late, name: 'chat' }),
        attributes: attributes({ ...usage, 'session.id': 's0' }),
      },
    ]).resourceSpans,
  ])
  const grown = await until(
    'the run to be measured again',
    async () => (await issuesOf(keys)).find(({ signal_type, count }) => signal_type === 'cost_outlier' && count === 11) ?? null,
    30_000,
  )
  expect(grown.why).toMatch(/11 of 240 runs cost more than \$/)
}, 90_000)
