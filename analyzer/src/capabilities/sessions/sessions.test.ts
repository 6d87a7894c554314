import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { SpanRecord } from '@loopkit/shared/span/record'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { SessionSummary } from '../../telemetry/sessions/answer-sessions.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

interface SessionPage {
  session_id: string | null
  records: number
  traces: number
  items: (SpanRecord & { line: string })[]
  next_cursor: string | null
}
interface SessionList {
  items: SessionSummary[]
  next_cursor: string | null
}

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const show = async (path: string, key?: string) => (await project.get<SessionPage>(`/v1/sessions/${path}`, key)).body
const spansOf = ({ items }: SessionPage) => items.map(({ span_id }) => span_id)

async function fresh(name: string, drafts: SpanDraft[]) {
  const { projectNo, projectId, key } = await project.provision(name)
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, drafts)
  return { projectNo, projectId, key }
}

const conversation: SpanDraft[] = [
  {
    trace: 't1',
    span: 'turn1',
    startMs: 1000,
    attributes: {
      'gen_ai.conversation.id': 'chat-7',
      'gen_ai.operation.name': 'chat',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
    },
  },
  {
    trace: 't1',
    span: 'tool1',
    parent: 'turn1',
    startMs: 1500,
    error: 'tool broke',
    attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' },
  },
  {
    trace: 't2',
    span: 'turn2',
    startMs: 2000,
    attributes: { 'gen_ai.conversation.id': 'chat-7', 'gen_ai.operation.name': 'chat' },
  },
  { trace: 't3', span: 'alone', startMs: 3000 },
  { trace: 't4', span: 'broken', startMs: 4000, error: 'no' },
]

describe('one session', () => {
  let key: string
  beforeAll(async () => {
    key = (await fresh('conversation', conversation)).key
  })

  test('holds the records of all its traces in order of time', async () => {
    const page = await show('chat-7', key)
    expect(page).toMatchObject({ session_id: 'chat-7', records: 3, traces: 2, next_cursor: null })
    expect(spansOf(page)).toEqual(['turn1', 'tool1', 'turn2'])
  })

  test('is a trace where a trace id is asked for, by the text that was sent', async () => {
    expect(spansOf(await show('t3', key))).toEqual(['alone'])
    expect(await show('t4', key)).toMatchObject({ session_id: 't4', records: 1 })
  })

  test('shows failing records and their ancestors when asked for errors', async () => {
    expect(spansOf(await show('chat-7?view=errors', key))).toEqual(['turn1', 'tool1'])
  })

  test('shows one line a record, without attributes, as a skeleton', async () => {
    const { items } = await show('chat-7?view=skeleton', key)
    expect(items).toHaveLength(3)
    expect(items[1]?.line).toMatch(
      /^1970-01-01T00:00:01\.500Z · 5 ms · shop · execute_tool search .* · tool_failure: tool broke$/,
    )
    expect(items[1]).not.toHaveProperty('attributes')
  })

  test('that nobody sent is a 404, the same for another project', async () => {
    const { key: theirs } = await project.provision('sessions stranger')
    const [foreign, unknown] = [
      await project.get('/v1/sessions/chat-7', theirs),
      await project.get('/v1/sessions/nobody', theirs),
    ]
    expect([foreign.status, foreign.text]).toEqual([404, unknown.text])
  })
})

test('pages of the list show every session once while old ones go on and new ones come', async () => {
  const turn = (session: string, trace: string): SpanDraft => ({
    trace,
    span: `${trace}-turn`,
    attributes: { 'gen_ai.conversation.id': session, 'gen_ai.operation.name': 'chat' },
  })
  const { projectNo, projectId, key } = await project.provision('moving sessions')
  const names = Array.from({ length: 6 }, (_, n) => `chat-${n}`)
  names.forEach(
    (name, n) => void project.telemetry.send(projectNo, project.analyzer.nowMs() - 9000 + n, [turn(name, `${name}-a`)]),
  )
  project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs())
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path = `/v1/sessions?limit=1${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const page: SessionList = (await project.get<SessionList>(path, key)).body
    seen.push(...page.items.map(({ session_id }) => session_id))
    cursor = page.next_cursor
    project.analyzer.advance(10)
    const later = [turn('chat-0', `later-${seen.length}`), turn(`new-${seen.length}`, `new-${seen.length}`)]
    project.telemetry.send(projectNo, project.analyzer.nowMs(), later)
    project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs())
  }
  expect(seen).toEqual(names.toReversed())
})

test('a large trace comes in pages of 1,000 records, each record once', async () => {
  const drafts = Array.from({ length: 2300 }, (_, i) => ({ trace: 'large', span: `s${i}`, startMs: 1000 + (i % 7) }))
  const { key } = await fresh('large', drafts)
  const sizes: number[] = []
  const seen = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: SessionPage = await show(`large${cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`}`, key)
    sizes.push(page.items.length)
    for (const { record_id } of page.items) seen.add(record_id)
    cursor = page.next_cursor
  }
  expect([sizes, seen.size]).toEqual([[1000, 1000, 300], 2300])
})

test.each([300, 400, 1000, 5000])(
  'a budget of %d tokens is never exceeded, and following the cursor shows every record',
  async (budget) => {
    const drafts = Array.from({ length: 12 }, (_, i) => ({
      trace: 'budget',
      span: `span-${'漢'.repeat(i)}`,
      startMs: 1000 + i,
      error: '😀'.repeat(100 * i),
      attributes: { text: 'a`"\\\u202e'.repeat(200 * i) },
    }))
    const { key } = await fresh(`budget ${budget}`, drafts)
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `/v1/sessions/budget?budget_tokens=${budget}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const { text, body }: { text: string; body: SessionPage } = await project.get<SessionPage>(path, key)
      expect(countTokens(text, { disallowedSpecial: new Set() })).toBeLessThanOrEqual(budget)
      seen.push(...body.items.map(({ record_id }) => record_id))
      cursor = body.next_cursor
    }
    expect([seen.length, new Set(seen).size]).toEqual([12, 12])
  },
)

describe('the list of sessions', () => {
  test.each(['undecided', 'decided'])('sums each session, %s', async (state) => {
    const { projectNo, projectId, key } = await fresh(`list ${state}`, conversation)
    if (state === 'decided') project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs())
    const { items } = (await project.get<SessionList>('/v1/sessions', key)).body
    expect(items.map(({ session_id }) => session_id).sort()).toEqual(['chat-7', 't4'])
    expect(items.find(({ session_id }) => session_id === 'chat-7')).toMatchObject({
      turns: 2,
      tool_calls: 1,
      spans: 3,
      traces: 2,
      failures: 1,
      outcome: 'failed',
      tokens: { input: 10, output: 5, total: 15 },
      started_at: '1970-01-01T00:00:01.000Z',
      duration_ms: 1005,
      provisional: state === 'undecided',
    })
  })

  test('comes in pages', async () => {
    const drafts = Array.from({ length: 5 }, (_, i) => ({ trace: `t${i}`, span: 's', attributes: { 'session.id': `s${i}` } }))
    const { key } = await fresh('list pages', drafts)
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `/v1/sessions?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const page: SessionList = (await project.get<SessionList>(path, key)).body
      seen.push(...page.items.map(({ session_id }) => session_id))
      cursor = page.next_cursor
    }
    expect(seen.sort()).toEqual(['s0', 's1', 's2', 's3', 's4'])
  })
})

describe('event time', () => {
  test.each([
    ['open', false],
    ['decided', true],
  ])('bounds the sessions that are listed, %s ones', async (name, decided) => {
    const { projectNo, projectId, key } = await fresh(`bounds ${name}`, [
      { trace: 'a', span: 'a', startMs: 10_000, attributes: { 'session.id': 'early' } },
      { trace: 'b', span: 'b', startMs: 20_000, attributes: { 'session.id': 'late' } },
    ])
    if (decided) project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs())
    const listed = async (query: string) =>
      (await project.get<SessionList>(`/v1/sessions?${query}`, key)).body.items.map(({ session_id }) => session_id)
    expect(await listed('from=1970-01-01T00:00:15Z')).toEqual(['late'])
    expect(await listed('to=1970-01-01T00:00:15Z')).toEqual(['early'])
  })

  test('bounds the records of a session', async () => {
    const { key } = await fresh('bounds of one', [
      { trace: 'a', span: 'a', startMs: 10_000 },
      { trace: 'a', span: 'b', startMs: 20_000 },
    ])
    expect(spansOf(await show('a?from=1970-01-01T00:00:15Z', key))).toEqual(['b'])
  })
})
