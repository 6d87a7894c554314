import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Scorecard } from '../../telemetry/sessions/answer-scorecard.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

async function fresh(name: string, bodies: SpanDraft[][], { decided = true } = {}) {
  const { projectNo, projectId, key } = await project.provision(name)
  for (const [at, drafts] of bodies.entries()) project.telemetry.send(projectNo, project.analyzer.nowMs() - 60_000 + at, drafts)
  if (decided) project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs())
  return key
}

const score = async (id: string, key: string) => (await project.get<Scorecard>(`/v1/sessions/${id}/scorecard`, key)).body

const usage = { 'gen_ai.usage.input_tokens': 1000n, 'gen_ai.usage.output_tokens': 100n }

/** A run of an agent: it asks a model, searches, and asks again. */
function run(trace: string, startMs: number, { error, model = 'gpt-4o' }: { error?: string; model?: string } = {}): SpanDraft[] {
  const agent = { 'gen_ai.agent.name': 'helper', 'session.id': `chat-${trace}` }
  const chat = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': model, ...agent, ...usage }
  const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search', ...agent }
  return [
    { trace, span: 'agent', startMs, durationMs: 90, attributes: { 'gen_ai.operation.name': 'invoke_agent', ...agent } },
    { trace, span: 'ask', parent: 'agent', startMs: startMs + 1, attributes: chat },
    { trace, span: 'search', parent: 'agent', startMs: startMs + 10, attributes: tool, ...(error && { error }) },
    { trace, span: 'answer', parent: 'agent', startMs: startMs + 20, attributes: chat },
  ]
}

describe('a failed run beside healthy ones of the same agent', () => {
  const bodies = [run('good', 1000), run('bad', 5000, { error: 'index is gone' }), run('later', 9_000_000)]
  let key: string
  let card: Scorecard
  beforeAll(async () => {
    key = await fresh('failed run', bodies)
    card = await score('chat-bad', key)
  })

  test('shows what it came to, with the cost by the table of prices', () => {
    expect(card).toMatchObject({
      session_id: 'chat-bad',
      agent: 'helper',
      outcome: 'failed',
      turns: 2,
      tool_calls: 1,
      tokens: { input: 2000, output: 200, total: 2200 },
      cost_usd: 0.007,
      cost: { priced_calls: 2, priced_usd: 0.007, unpriced: [] },
      provisional: false,
    })
  })

  test('is marked in five parts, each mark with evidence that resolves', async () => {
    expect(card.scorecard.map(({ part, mark }) => [part, mark])).toEqual([
      ['completion', 'fair'],
      ['errors', 'poor'],
      ['tool_use', 'poor'],
      ['answers', 'good'],
      ['efficiency', 'good'],
    ])
    for (const { url, record_id } of card.scorecard.flatMap(({ evidence }) => evidence)) {
      const { items } = (await project.get<{ items: { record_id: string; name: string }[] }>(url, key)).body
      expect(items.map((item) => item.record_id)).toEqual([record_id])
    }
  })

  test('names the one step with the highest leverage, who is to look at it, and the turn that led to it', () => {
    expect(card.leverage_step).toMatchObject({ rule: 'unrecovered_failure', operation: 'execute_tool search', agent: 'helper' })
    expect(card.leverage_step?.turn).toMatchObject({ operation: 'chat helper' })
    expect(card.candidates[0]).toEqual(card.leverage_step)
  })

  test('is set beside the nearest healthy run, and parts from it where it failed', () => {
    expect(card.twin).toMatchObject({
      session_id: 'chat-good',
      likeness: 1,
      differences: { turns: 0, tool_calls: 0, tokens: 0, cost_usd: 0, duration_ms: 0 },
      parted_at: { kind: 'failed', ours: { operation: 'execute_tool search' }, theirs: { operation: 'execute_tool search' } },
    })
  })

  test('says the same whether it is asked for by session or by trace, and each time the same bytes', async () => {
    const [first, second] = [
      await project.get('/v1/sessions/chat-bad/scorecard', key),
      await project.get('/v1/sessions/chat-bad/scorecard', key),
    ]
    expect(second.text).toBe(first.text)
    const { session_id: _, ...byTrace } = await score('bad', key)
    const { session_id: __, ...bySession } = card
    expect(byTrace).toEqual(bySession)
  })

  test('has the totals that the list of sessions has', async () => {
    const { items } = (await project.get<{ items: Record<string, unknown>[] }>('/v1/sessions', key)).body
    const { session_id, agent, outcome, turns, tokens, cost_usd, duration_ms, failures } = card
    expect(items.find((item) => item.session_id === 'chat-bad')).toMatchObject({
      session_id,
      agent,
      outcome,
      turns,
      tokens,
      cost_usd,
      duration_ms,
      failures,
    })
  })

  test('is unknown to another project', async () => {
    const { key: theirs } = await project.provision('scorecard stranger')
    expect((await project.get('/v1/sessions/chat-bad/scorecard', theirs)).status).toBe(404)
  })
})

test('shards and their order change nothing', async () => {
  const bodies = [run('good', 1000), run('bad', 5000, { error: 'index is gone' })]
  const whole = await score('chat-bad', await fresh('whole', bodies))
  const sharded = await score(
    'chat-bad',
    await fresh(
      'sharded',
      [...bodies.flat()].reverse().map((draft) => [draft]),
    ),
  )
  expect(sharded).toEqual(whole)
})

test('a model without a price has no cost, and is named', async () => {
  const card = await score('chat-odd', await fresh('odd model', [run('odd', 1000, { model: 'our-own-7b' })]))
  expect(card).toMatchObject({
    cost_usd: null,
    cost: { priced_calls: 0, priced_usd: 0, unpriced: [{ model: 'our-own-7b', calls: 2 }] },
    unavailable: { cost_usd: 'model_without_price', twin: 'no_healthy_session_like_it' },
  })
})

test('what waits for its decision is scored and compared all the same', async () => {
  const bodies = [run('good', 1000), run('bad', 5000, { error: 'index is gone' })]
  const card = await score('chat-bad', await fresh('undecided', bodies, { decided: false }))
  expect(card).toMatchObject({ outcome: 'failed', provisional: true, failures: 1, twin: { session_id: 'chat-good' } })
})

test('a run without a session id is set beside one like it', async () => {
  const nameless = (drafts: SpanDraft[]) =>
    drafts.map((draft) => ({ ...draft, attributes: { ...draft.attributes, 'session.id': '' } }))
  const key = await fresh('nameless', [nameless(run('good', 1000)), nameless(run('bad', 5000, { error: 'index is gone' }))])
  expect(await score('bad', key)).toMatchObject({
    session_id: 'bad',
    twin: { session_id: 'good', parted_at: { kind: 'failed' } },
  })
})

test('a trace of services is set beside one that begins with the same operation', async () => {
  const request = (trace: string, startMs: number, error?: string): SpanDraft[] => [
    { trace, span: 'root', name: 'checkout', startMs, durationMs: 50, ...(error && { error }) },
    { trace, span: 'stock', parent: 'root', name: 'reserve', startMs: startMs + 1 },
    { trace, span: 'pay', parent: 'root', name: 'charge', startMs: startMs + 9, ...(error && { error }) },
  ]
  const key = await fresh('services', [request('ok', 1000), request('broken', 2000, 'card declined')])
  const card = await score('broken', key)
  expect(card.leverage_step).toMatchObject({ operation: 'charge', rule: 'unrecovered_failure', agent: null, turn: null })
  expect(card.twin).toMatchObject({ session_id: 'ok', parted_at: { kind: 'failed', ours: { operation: 'charge' } } })
})

test('segments that cannot be read are named wherever a trace or a session is read', async () => {
  const { projectNo, key } = await project.provision('damaged')
  for (const [at, drafts] of [run('torn', 1000).slice(0, 2), run('torn', 1000).slice(2)].entries()) {
    project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000 + at, drafts)
  }
  const { db } = project.telemetry
  db.prepare(
    "update segment set body = x'00ff00ff' where segment_id = (select max(segment_id) from segment where project_no = ?)",
  ).run(projectNo)
  const omitted = [{ what: 'segments', count: 1, reason: 'damaged' }]
  const views = ['?view=full', '?view=skeleton', '?view=errors', '/scorecard'].map((path) => `/v1/sessions/chat-torn${path}`)
  for (const path of [...views, '/v1/traces/torn/receipt', '/v1/telemetry?trace_id=torn']) {
    expect([path, (await project.get<{ omitted: unknown }>(path, key)).body.omitted]).toEqual([path, omitted])
  }
})
