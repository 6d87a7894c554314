import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Issue } from '../../domain/packet/model.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

interface Page {
  items: { pain_id: string; title: string; count: number; evidence_ids: string[] }[]
  next_cursor: string | null
}
interface Why {
  fingerprint: string
  steps: { step: string; value: string }[]
  because: string | null
  template: string | null
  siblings: string[]
  evidence_ids: string[]
}

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const failing = (trace: string, name: string, error = 'declined'): SpanDraft => ({ trace, span: `${trace}-s`, name, error })
const names = ['pay', 'ship', 'bill', 'pack', 'send']

test('the list comes in pages, heaviest first, and every id leads to its pain', async () => {
  const { projectNo, key } = await project.provision('pain pages')
  const spans = names.flatMap((name, at) => Array.from({ length: at + 1 }, (_, i) => failing(`${name}-${i}`, name)))
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, spans)
  const seen: Page['items'] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = (
      await project.get<Page>(`/v1/pains?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, key)
    ).body
    seen.push(...page.items)
    cursor = page.next_cursor
  }
  expect(seen.map(({ count }) => count)).toEqual([5, 4, 3, 2, 1])
  for (const { pain_id } of seen) {
    expect((await project.get<{ issue: Issue }>(`/v1/pains/${pain_id}`, key)).body.issue.pain_id).toBe(pain_id)
  }
})

test('pages show every pain once while failures come that turn their order round', async () => {
  const { projectNo, key } = await project.provision('turning pains')
  const send = (names: readonly string[], times: number, prefix: string) =>
    project.telemetry.send(
      projectNo,
      project.analyzer.nowMs() - 1000,
      names.flatMap((name) => Array.from({ length: times }, (_, i) => failing(`${prefix}-${name}-${i}`, name))),
    )
  names.forEach((name, at) => void send([name], at + 1, 'first'))
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = (
      await project.get<Page>(`/v1/pains?limit=1${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, key)
    ).body
    seen.push(...page.items.map(({ pain_id }) => pain_id))
    cursor = page.next_cursor
    send(names.toSpliced(seen.length), 6 * seen.length, `later ${seen.length}`)
  }
  expect([seen.length, new Set(seen).size]).toEqual([names.length, names.length])
})

test('whoever asks for more than a page holds gets a full page and the way to the rest', async () => {
  const { projectNo, key } = await project.provision('many pains')
  const wordOf = (at: number) => `op${String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26))}`
  const spans = Array.from({ length: 120 }, (_, at) => failing(`many-${at}`, wordOf(at)))
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, spans)
  const { items, next_cursor } = (await project.get<Page>('/v1/pains?limit=1000', key)).body
  const rest = (await project.get<Page>(`/v1/pains?limit=1000&cursor=${encodeURIComponent(next_cursor!)}`, key)).body
  expect([items.length, rest.items.length, rest.next_cursor]).toEqual([100, 20, null])
  expect((await project.get('/v1/pains?limit=1001', key)).status).toBe(400)
})

test.each(['undecided', 'decided'])('why says how its records became one, %s', async (state) => {
  const { projectNo, projectId, key } = await project.provision(`why ${state}`)
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, [
    failing('a', 'pay', 'order 17 lost'),
    failing('b', 'pay', 'order 23 lost'),
  ])
  if (state === 'decided') project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs())
  const { items } = (await project.get<Page>('/v1/pains', key)).body
  const { body } = await project.get<Why>(`/v1/pains/${items[0]?.pain_id}/why`, key)
  expect(items).toHaveLength(1)
  expect(body.steps.map(({ step }) => step)).toEqual(expect.arrayContaining(['signal', 'service', 'operation', 'template']))
  expect(body.template).not.toContain('17')
  expect([body.because, body.evidence_ids.length]).toEqual([expect.any(String), 2])
})

test('a pain is remembered when nothing of it fails any more, with its history', async () => {
  const { projectNo, projectId, key } = await project.provision('remembered')
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 3_600_000, [failing('a', 'pay')])
  project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs() - 3_500_000)
  const { items } = (await project.get<Page>('/v1/pains', key)).body
  const { body } = await project.get<{ issue: null; history: object[] }>(`/v1/pains/${items[0]?.pain_id}?since_minutes=1`, key)
  expect([body.issue, body.history]).toEqual([null, [{ day: '2026-06-19', failures: 1 }]])
})

test('a pain of another project is answered as an unknown one', async () => {
  const { projectNo, key } = await project.provision('pain owner')
  const { key: theirs } = await project.provision('pain stranger')
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, [failing('a', 'pay')])
  const { items } = (await project.get<Page>('/v1/pains', key)).body
  for (const path of ['', '/why']) {
    const [foreign, unknown] = await Promise.all(
      [items[0]?.pain_id, 'pain_0'].map((id) => project.get(`/v1/pains/${id}${path}`, theirs)),
    )
    expect([foreign?.status, foreign?.text]).toEqual([404, unknown?.text])
  }
})
