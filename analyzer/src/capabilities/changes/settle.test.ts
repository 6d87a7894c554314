import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { until } from '../../../../test/harness/http.ts'
import type { Dashboard } from '../../domain/dashboard/dashboard.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'
import { createFresh, HOUR_MS, traffic } from './changes.fixture.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * HOUR_MS

let project: TelemetryProject
let fresh: ReturnType<typeof createFresh>
beforeAll(async () => {
  project = await startTelemetryProject({ LOOPKIT_VERIFY_EVERY_MS: '50' })
  fresh = createFresh(project)
})
afterAll(() => project.end())

const count = (table: 'verdict' | 'verify_plan' | 'pain') =>
  project.analyzer.control.sqlite.prepare(`select count(*) from ${table}`).pluck().get() as number

test('verdicts settle without anybody asking, and are forgotten after 180 days', async () => {
  const { now, key, send, decide, painId, announce } = await fresh('settles')
  const dashboard = async () => (await project.get<Dashboard>('/v1/dashboard', key)).body
  send(traffic('before', { runs: 300, failures: 60, endMs: now - 3 * HOUR_MS }))
  decide()
  const pain_id = await painId()
  const { change_id } = await announce({ pain_ids: [pain_id], shipped_at: new Date(now - 2 * HOUR_MS).toISOString() })
  send(traffic('after', { runs: 300, failures: 0, endMs: now - HOUR_MS / 2 }))
  decide()
  expect(await dashboard()).toMatchObject({ wins: [], value: { momentum: 'unmeasured' } })
  project.analyzer.advance(10 * MINUTE_MS)
  const { wins, value } = await until('a settled verdict', async () => {
    const seen = await dashboard()
    return seen.wins.length > 0 ? seen : null
  })
  expect(wins).toMatchObject([{ pain_id, change_id, verdict: 'held', before: { failures: 60, runs: 300 } }])
  expect(value).toMatchObject({ held_count: 1, momentum: 'improving' })
  const muted = await fresh('muted')
  muted.send(traffic('muted', { runs: 10, failures: 5, endMs: muted.now }))
  muted.decide()
  await muted.post(`/v1/pains/${await muted.painId()}/mute`, { reason: 'known' })
  expect(count('pain')).toBe(2)
  project.analyzer.advance(181 * DAY_MS)
  const isForgotten = () => count('verdict') + count('verify_plan') === 0 && count('pain') === 1
  await until('that old verdicts are gone, and pains that nobody spoke of', () => (isForgotten() ? true : null))
})
