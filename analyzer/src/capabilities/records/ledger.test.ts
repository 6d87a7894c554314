import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

test('the ledger says what became of everything that was sent in the window', async () => {
  const minute = Math.floor(project.analyzer.nowMs() / 60_000)
  const add = project.telemetry.db.prepare('insert into ledger values (?, ?, ?, ?)')
  const counts = {
    accepted: 7,
    deduplicated: 2,
    'rejected:trace_id_zero': 3,
    'refused:queue_full': 1,
    'not_kept:logs': 9,
    'kept:logs': 5,
    replaced: 6,
    conflict: 8,
    redacted: 4,
  }
  for (const [what, count] of Object.entries(counts)) add.run(project.projectNo, minute, what, count)
  add.run(project.projectNo, minute - 100, 'accepted', 1000)
  add.run(99, minute, 'accepted', 1000)
  const { body } = await project.get('/v1/ingest/ledger?since_minutes=60')
  expect(body).toMatchObject({
    ...{ received: 40, accepted: 7, deduplicated: 16, redacted: 4, capped: 0, replaced: 6, conflicts: 8 },
    rejected: { trace_id_zero: 3 },
    refused_requests: { queue_full: 1 },
    not_kept: { logs: 9 },
  })
})

test('a receipt says where a trace is, and what became of its spans that are not stored', async () => {
  project.send(
    [
      { trace: 'a', span: '1' },
      { trace: 'a', span: '2', service: 'web', error: 'no' },
    ],
    5000,
  )
  project.send([{ trace: 'a', span: '3' }], 1000)
  const { body } = await project.get('/v1/traces/a/receipt')
  expect(body).toMatchObject({
    ...{ trace_id: 'a', found: true, spans: 3, decided_at: null, services: ['shop', 'web'], deduplicated: 0, rejected: {} },
    stored_in: ['commit 1', 'commit 2'],
    unavailable: {},
  })
  project.decide()
  expect((await project.get<{ decided_at: string }>('/v1/traces/a/receipt')).body.decided_at).toMatch(/^\d{4}-/)
})

test('a healthy trace is decided once it has been quiet', async () => {
  project.send([{ trace: 'quiet', span: '1' }], 60_000)
  project.send([{ trace: 'busy', span: '1' }], 1000)
  const decided = async (id: string) =>
    (await project.get<{ decided_at: string | null }>(`/v1/traces/${id}/receipt`)).body.decided_at
  expect([await decided('quiet'), await decided('busy')]).toEqual([expect.any(String), null])
})

test('of an unknown trace says that it was not found', async () => {
  expect((await project.get('/v1/traces/nobody/receipt')).body).toMatchObject({ trace_id: 'nobody', found: false, spans: 0 })
})
