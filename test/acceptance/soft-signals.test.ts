import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { attributes, type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, type RecordJson, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000
/** Long enough that a diagnosis comes before the decision, short enough to wait for it. */
const QUIET_MS = 4_000
const END_AWAITED_MS = 9_000

interface Issue {
  pain_id: string
  signal_type: string
  severity: string
  count: number
  provisional: boolean
  evidence_ids: string[]
}

let product: Product
let keys: ProjectKeys
beforeAll(async () => {
  const env = {
    LOOPKIT_QUIET_MS: String(QUIET_MS),
    LOOPKIT_DECIDE_AFTER_MS: String(END_AWAITED_MS),
    LOOPKIT_REPEATED_STEP_MIN: '4',
  }
  product = await startProduct({ env })
  keys = await product.provision('soft')
}, MINUTE_MS)
afterAll(() => product?.stop())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')
const read = <T>(path: string) => readJson<T>(`${product.analyzerUrl}${path}`, keys.agent_key)

/** One run of an agent: the same tool four times, an answer of no words, and a span that never ends. */
function agentRun(): { spans: SpanJson[]; last: string; empty: string; open: string } {
  const traceId = hex(16)
  const [agent, empty, open] = [hex(8), hex(8), hex(8)]
  const child = (spanId: string, at: number, given: Partial<SpanJson>, values: Record<string, string>): SpanJson => ({
    ...spanJson({
      traceId,
      spanId,
      parentSpanId: agent,
      startTimeUnixNano: String(1_781_856_000_000_000_000n + BigInt(at)),
      ...given,
    }),
    attributes: attributes(values),
  })
  const tools = Array.from({ length: 4 }, (_, n) =>
    child(
      hex(8),
      n + 1,
      { name: 'execute_tool search' },
      {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'search',
        'gen_ai.tool.call.arguments': '{"q":"parcel"}',
        'gen_ai.tool.call.result': 'nothing new',
      },
    ),
  )
  const root = spanJson({ traceId, spanId: agent, name: 'invoke_agent helper', startTimeUnixNano: '1781856000000000000' })
  const said = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'atlas',
    'gen_ai.output.messages': '[{"role":"assistant","parts":[]}]',
  }
  const { endTimeUnixNano: _, ...unended } = child(open, 9, { name: 'wait' }, {})
  return {
    spans: [
      { ...root, attributes: attributes({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'helper' }) },
      ...tools,
      child(empty, 8, { name: 'chat atlas' }, said),
      unended,
    ],
    last: tools[3]!.spanId,
    empty,
    open,
  }
}

async function diagnose(): Promise<Issue[]> {
  const answer = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, { key: keys.agent_key, json: { since_minutes: 60 } })
  expect(answer.status).toBe(200)
  return answer.json<{ packet: { issues: Issue[] } }>().packet.issues
}

const seen = (issues: Issue[]) =>
  issues.map(({ signal_type, count, provisional }) => `${signal_type} ${count} ${provisional}`).sort()

test(
  'soft signals are in the first diagnosis, then decided once, blamed on their span, and said of it wherever it is read',
  async () => {
    const runs = [agentRun(), agentRun(), agentRun()]
    for (const { spans } of runs) await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('helper', spans))
    expect(seen(await diagnose())).toEqual(['empty_output 3 true', 'repeated_step 3 true'])

    const decided = await until(
      'the decision',
      async () => {
        const issues = await diagnose()
        // Each run of the agent is a trace of its own, decided when its time has come.
        return issues.length === 3 && issues.every(({ count }) => count === runs.length) ? issues : null
      },
      30_000,
      200,
    )
    expect(seen(decided)).toEqual(['empty_output 3 false', 'incomplete 3 false', 'repeated_step 3 false'])
    expect(decided.map(({ severity }) => severity)).toEqual(['low', 'low', 'low'])

    const evidence = async (signal: string) => {
      const issue = decided.find(({ signal_type }) => signal_type === signal)!
      const pages = await Promise.all(issue.evidence_ids.map((id) => read<Page<RecordJson>>(`/v1/telemetry?record_id=${id}`)))
      return pages.map(({ items: [record] }) => `${record!.span_id} ${record!.signal_type}`).sort()
    }
    const expected = (signal: string, of: (run: (typeof runs)[number]) => string) =>
      runs.map((run) => `${of(run)} ${signal}`).sort()
    expect(await evidence('repeated_step')).toEqual(expected('repeated_step', ({ last }) => last))
    expect(await evidence('empty_output')).toEqual(expected('empty_output', ({ empty }) => empty))
    expect(await evidence('incomplete')).toEqual(expected('incomplete', ({ open }) => open))

    const listed = await read<Page<RecordJson>>('/v1/telemetry?since_minutes=60&signal_type=repeated_step')
    expect(listed.items.map(({ span_id }) => span_id).sort()).toEqual(runs.map(({ last }) => last).sort())

    const pain = decided.find(({ signal_type }) => signal_type === 'repeated_step')!
    const why = await read<{ because: string }>(`/v1/pains/${pain.pain_id}/why`)
    expect(why.because).toBe('4 runs of search with the same arguments and the same result')

    const traceId = runs[0]!.spans[0]!.traceId
    const errors = await read<{ items: RecordJson[]; hints: { record_id: string; kind: string }[] }>(
      `/v1/sessions/${traceId}?view=errors`,
    )
    const shown = errors.items.map(({ span_id }) => span_id)
    expect(shown).toEqual(expect.arrayContaining([runs[0]!.last, runs[0]!.empty, runs[0]!.open]))
    expect(errors.hints.map(({ kind }) => kind)).toEqual(['same_tool_streak', 'same_tool_streak'])
    const short = await read<{ omitted: unknown[]; hints?: unknown[] }>(`/v1/sessions/${traceId}?view=errors&budget_tokens=2000`)
    expect([short.hints, short.omitted]).toEqual([undefined, [{ what: 'hints', count: 2, reason: 'budget' }]])
  },
  MINUTE_MS,
)
