import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseSpanId, parseTraceId } from '@loopkit/shared/otlp/ids'
import type { SpanRecord } from '@loopkit/shared/span/record'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

interface Page {
  items: SpanRecord[]
  next_cursor: string | null
}

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const list = async (query: string, key?: string) => (await project.get<Page>(`/v1/telemetry?${query}`, key)).body
const spansOf = ({ items }: Page) => items.map(({ span_id }) => span_id)

async function readAll(query: string, key: string): Promise<SpanRecord[]> {
  const items: SpanRecord[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await list(`${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, key)
    items.push(...page.items)
    cursor = page.next_cursor
  }
  return items
}

async function fresh(name: string, commits: SpanDraft[][]) {
  const { projectNo, key } = await project.provision(name)
  for (const drafts of commits) project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, drafts)
  return { projectNo, key }
}

test('records come newest arrival first, inside one commit the latest start first', async () => {
  const { key } = await fresh('order', [
    [
      { trace: 't1', span: 'a', startMs: 1000 },
      { trace: 't1', span: 'b', startMs: 2000 },
    ],
    [{ trace: 't2', span: 'c', startMs: 500 }],
  ])
  expect(spansOf(await list('', key))).toEqual(['c', 'b', 'a'])
})

test.each([1, 2, 3, 7, 100])('pages of %d hold every record once', async (limit) => {
  const commits = Array.from({ length: 5 }, (_, c) =>
    Array.from({ length: 4 }, (_, s) => ({ trace: `t${c}-${s % 2}`, span: `s${c}-${s}`, startMs: 1000 + (s % 3) })),
  )
  const { key } = await fresh(`pages ${limit}`, commits)
  const records = await readAll(`limit=${limit}`, key)
  expect(new Set(records.map(({ record_id }) => record_id)).size).toBe(20)
  expect(records).toHaveLength(20)
})

describe('filters', () => {
  let key: string
  beforeAll(async () => {
    const found = await fresh('filters', [
      [
        { trace: 'order-2026', span: 'span_001', error: 'declined', startMs: 5000 },
        { trace: '1234567890abcdef', span: 'x', service: 'web', startMs: 9000 },
      ],
      [{ trace: 'other', span: 'y', parent: 'x', startMs: 7000, attributes: { 'http.request.method': 'GET' } }],
    ])
    key = found.key
  })

  test.each([
    ['by the text that was sent', 'trace_id=order-2026', ['span_001']],
    ['by a 16-character id', 'trace_id=1234567890abcdef', ['x']],
    ['by an unknown trace', 'trace_id=nobody', []],
    ['by service', 'service=web', ['x']],
    ['by signal', 'signal_type=error_status', ['span_001']],
    ['from an event time', 'from=1970-01-01T00:00:07Z', ['y', 'x']],
    ['to an event time, not included', 'to=1970-01-01T00:00:07Z', ['span_001']],
    ['by several', 'service=web&signal_type=error_status', []],
  ])('%s', async (_, query, spans) => expect(spansOf(await list(query, key))).toEqual(spans))

  test('a healthy record is found by its id too', async () => {
    const [record] = (await list('service=web', key)).items
    expect((await list(`record_id=${record?.record_id}`, key)).items).toEqual([record])
  })

  test('a record is shown whole, its session settled', async () => {
    const [record] = (await list('trace_id=other', key)).items
    expect(record).toMatchObject({
      kind: 'span',
      session_id: 'other',
      attributes: { 'http.request.method': 'GET' },
      signal_type: null,
    })
  })

  test('another project finds nothing', async () => {
    const { key: theirs } = await project.provision('strangers')
    const [record] = (await list('service=web', key)).items
    expect((await list(`record_id=${record?.record_id}`, theirs)).items).toEqual([])
    expect((await list('trace_id=order-2026', theirs)).items).toEqual([])
  })
})

test('a span that came again ended is listed once, ended', async () => {
  const open = { trace: 'again', span: 's' }
  const { key } = await fresh('again', [[{ ...open, durationMs: null }], [open]])
  const { items } = await list('', key)
  expect(items.map(({ end_unix_nano }) => end_unix_nano !== null)).toEqual([true])
})

test('a span belongs to the session of its nearest ancestor', async () => {
  const { key } = await fresh('sessions', [
    [
      { trace: 't', span: 'root', attributes: { 'session.id': 'one' } },
      { trace: 't', span: 'child', parent: 'root' },
      { trace: 't', span: 'turn', parent: 'root', attributes: { 'session.id': 'two' } },
      { trace: 't', span: 'tool', parent: 'turn' },
    ],
  ])
  const { items } = await list('', key)
  expect(Object.fromEntries(items.map(({ span_id, session_id }) => [span_id, session_id]))).toEqual({
    root: 'one',
    child: 'one',
    turn: 'two',
    tool: 'two',
  })
})

describe('a cursor', () => {
  let key: string
  let cursor: string
  beforeAll(async () => {
    const found = await fresh('cursor', [[{ trace: 't', span: 'a' }], [{ trace: 't', span: 'b' }]])
    key = found.key
    cursor = (await list('limit=1', key)).next_cursor!
  })

  test.each([
    ['altered', (text: string) => `A${text.slice(1)}`, 'limit=1'],
    ['cut short', (text: string) => text.slice(0, -1), 'limit=1'],
    ['of no list', () => 'nonsense', 'limit=1'],
    ['of another query', (text: string) => text, 'limit=1&service=shop'],
  ])('%s is a 400', async (_, alter, query) => {
    const { status, body } = await project.get(`/v1/telemetry?${query}&cursor=${encodeURIComponent(alter(cursor))}`, key)
    expect([status, body.code]).toEqual([400, 'invalid_cursor'])
  })

  test('of another project is a 400', async () => {
    const { key: theirs } = await project.provision('cursor thief')
    const { body } = await project.get(`/v1/telemetry?limit=1&cursor=${encodeURIComponent(cursor)}`, theirs)
    expect(body.code).toBe('invalid_cursor')
  })
})

test.each([
  'since_minutes=0',
  'since_minutes=1e9',
  'since_minutes=x',
  'limit=0',
  'record_id=rec_x',
  'trace_id=',
  'from=yesterday',
  'from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
  'foo=1',
])('%s is a 400', async (query) => {
  const { status, body } = await project.get(`/v1/telemetry?${query}`)
  expect(status).toBe(400)
  if (query.startsWith('since')) expect(body.detail).toContain('from 1 to 43200')
})

test('a record that may lie in a segment that cannot be read is not answered as never seen', async () => {
  const { projectNo, key } = await fresh('damaged', [
    [{ trace: 'torn', span: 'whole' }],
    [
      { trace: 'torn', span: 'lost' },
      { trace: 'other', span: 'lost' },
    ],
  ])
  const newest = 'select max(segment_id) from segment where project_no = ?'
  project.telemetry.db.prepare(`update segment set body = x'00ff00ff' where segment_id = (${newest})`).run(projectNo)
  const recordId = (span: string) => encodeRecordId(parseTraceId('torn')!.bytes, parseSpanId(span)!.bytes)
  const omitted = [{ what: 'segments', count: 1, reason: 'damaged' }]
  for (const [query, spans, told] of [
    [`record_id=${recordId('lost')}`, [], omitted],
    [`record_id=${recordId('whole')}`, ['whole'], undefined],
    ['trace_id=torn', ['whole'], omitted],
    ['trace_id=other', [], omitted],
    ['trace_id=never', [], undefined],
    ['', ['whole'], omitted],
  ] as const) {
    const page = (await list(query, key)) as Page & { omitted?: unknown }
    expect([query, spansOf(page), page.omitted]).toEqual([query, spans, told])
  }
})

test('pages of one large trace hold every record once, in the order of the list, with and without a filter', async () => {
  const commits = Array.from({ length: 6 }, (_, c) =>
    Array.from({ length: 5 }, (_, s) => ({
      ...{ trace: 'paged', span: `p${c}-${s}`, startMs: 1000 + ((s * 7 + c) % 4), service: s % 2 === 0 ? 'even' : 'odd' },
    })),
  )
  const { key } = await fresh('paged trace', commits)
  const whole = spansOf(await list('', key))
  for (const limit of [1, 4, 30])
    expect((await readAll(`trace_id=paged&limit=${limit}`, key)).map(({ span_id }) => span_id)).toEqual(whole)
  const even = (await readAll('trace_id=paged&limit=4&service=even', key)).map(({ span_id }) => span_id)
  expect(even).toEqual(whole.filter((span) => Number(span.split('-')[1]) % 2 === 0))
})
