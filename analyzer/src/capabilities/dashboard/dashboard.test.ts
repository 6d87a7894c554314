import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { Dashboard } from '../../domain/dashboard/dashboard.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const read = async (key?: string) => (await project.get<Dashboard>('/v1/dashboard', key)).body
const failing = (trace: string, more: Partial<SpanDraft> = {}): SpanDraft => ({
  trace,
  span: `${trace}-s`,
  error: 'declined',
  ...more,
})
const HOSTILE = '<img src=x onerror=alert(1)>"\'| `\n# Obey | <script>'

/** Numbers would be one operation. */
const wordOf = (i: number) => String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26), 120)

async function hostileProject(name: string) {
  const { projectNo, key } = await project.provision(name)
  const spans = Array.from({ length: 60 }, (_, i) =>
    failing(`t${i}`, { name: `${HOSTILE} ${'漢'.repeat(40)} ${wordOf(i)}`, error: HOSTILE }),
  )
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, spans)
  return key
}

describe('the dashboard', () => {
  test('of an empty project measures nothing and promises nothing', async () => {
    const { key } = await project.provision('nothing')
    expect(await read(key)).toMatchObject({
      summary: { open_pain_count: 0, regression_rate: null, telemetry_read: 0 },
      value: { momentum: 'unmeasured', held_count: 0, slipped_count: 0, regression_rate: null, derived: true },
      open_pains: [],
      wins: [],
      regressions_detail: [],
      last_run: null,
      artifacts: [],
    })
  })

  test('shows what hurts before any diagnosis, and the last one with its artifacts after', async () => {
    const { projectNo, key } = await project.provision('hurts')
    project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, [failing('a'), failing('b')])
    const before = await read(key)
    expect(before).toMatchObject({ summary: { open_pain_count: 1, failures: 2 }, open_pains: [{ count: 2 }], last_run: null })
    expect((await project.get(`/v1/pains/${before.open_pains[0]?.pain_id}`, key)).status).toBe(200)
    const { body } = await project.post<{ packet: { packet_id: string } }>('/v1/runs/diagnose', {}, key)
    const after = await read(key)
    expect(after.last_run).toMatchObject({ packet_id: body.packet.packet_id, failures: 2 })
    expect(after.artifacts.map(({ kind }) => kind)).toEqual(['report', 'issue_draft', 'eval_candidate', 'patch_plan'])
  })

  test('is where the bare address leads to', async () => {
    const answer = await fetch(`${project.analyzer.url}/`)
    expect([answer.status, new URL(answer.url).pathname]).toEqual([200, '/dashboard'])
  })

  test('needs its scope', async () => {
    const { body } = await project.analyzer.call('POST', '/v1/signup', { json: {} })
    expect((await project.get('/v1/dashboard', body.producer_key)).status).toBe(403)
    expect((await project.get('/dashboard/content', 'lk_dashboard_wrong')).status).toBe(401)
    const link = /#key=(\w+)$/.exec(body.dashboard_url)?.[1]
    expect((await project.get('/v1/dashboard', link)).status).toBe(200)
    expect((await project.get('/v1/reports/latest.md', link)).status).toBe(200)
  })
})

describe('the report', () => {
  test('has a table and stays under 2,000 tokens, whatever stands in telemetry', async () => {
    const key = await hostileProject('hostile report')
    const { text, headers } = await project.get('/v1/reports/latest.md', key)
    expect(headers.get('content-type')).toContain('text/markdown')
    expect(countTokens(text, { disallowedSpecial: new Set() })).toBeLessThan(2000)
    expect(text).toContain('| pain | severity | signal |')
    const rows = text.split('\n').filter((line) => line.startsWith('| pain_'))
    expect(rows.length).toBeGreaterThan(2)
    // Pipes inside the last cell are escaped: every row has eight cells.
    for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(10)
    expect(text).not.toMatch(/^# Obey/m)
  })

  test('of an empty project says so', async () => {
    const { key } = await project.provision('empty report')
    expect((await project.get('/v1/reports/latest.md', key)).text).toContain('Nothing is measured yet')
  })
})

describe('the page', () => {
  test('holds nothing of any project and runs only its own files', async () => {
    const { text, headers } = await project.analyzer.call('GET', '/dashboard')
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toContain("script-src 'self'")
    expect(text).not.toMatch(/<script(?![^>]* src=)|\son\w+=|style=|javascript:/)
    for (const [, path] of text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      expect((await project.analyzer.call('GET', path!)).status).toBe(200)
    }
    expect(text).toContain('Lost your key?')
    expect(text).toContain('/v1/recover')
  })

  test('can be used by keyboard and screen reader', async () => {
    const { text } = await project.analyzer.call('GET', '/dashboard')
    for (const part of [
      '<html lang="en">',
      'class="skip"',
      '<main',
      'aria-live="polite"',
      '<label for="key">',
      'name="viewport"',
    ]) {
      expect(text).toContain(part)
    }
    const key = await hostileProject('screen reader')
    const { text: content } = await project.get('/dashboard/content', key)
    expect(content).toContain('<caption>')
    expect(content).toContain('scope="col"')
  })

  test('says of each pain why it is one, where it shows and what next, and that there are more', async () => {
    const key = await hostileProject('details')
    const { open_pains, summary } = await read(key)
    const { text } = await project.get('/dashboard/content', key)
    expect(text.match(/<details><summary>/g)).toHaveLength(open_pains.length)
    for (const name of ['Why it is one pain', 'Services', 'Next', 'Evidence']) expect(text).toContain(`<dt>${name}</dt>`)
    expect(summary.open_pain_count).toBeGreaterThan(open_pains.length)
    expect(text).toContain(`The ${open_pains.length} heaviest of ${summary.open_pain_count}.`)
  })

  test('shows text from telemetry as text', async () => {
    const key = await hostileProject('hostile page')
    const { text } = await project.get('/dashboard/content', key)
    expect(text).toContain('&lt;img src=x')
    expect(text).not.toMatch(/<img|<script|onerror=alert\(1\)>/)
  })
})
