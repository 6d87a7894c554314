import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
import type { Dashboard } from '../../domain/dashboard/dashboard.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'
import type { ChangeStores } from './change-stores.ts'
import { type ChangeJson, createFresh, HOUR_MS, type Page, traffic } from './changes.fixture.ts'
import { createEnterReleases } from './changes.ts'

let project: TelemetryProject
let fresh: ReturnType<typeof createFresh>
beforeAll(async () => {
  project = await startTelemetryProject()
  fresh = createFresh(project)
})
afterAll(() => project.end())

describe('the ledger of changes', () => {
  test('holds what is announced, newest first, and versions first seen but the first of a service', async () => {
    const { key, send } = await fresh('ledger')
    send([
      { trace: 'a', span: '1', resource: { 'service.version': '1.0' } },
      { trace: 'b', span: '2', resource: { 'service.version': '1.1' } },
      { trace: 'c', span: '3', service: 'web', resource: { 'service.version': '9' } },
    ])
    await project.post('/v1/changes', { kind: 'flag', ref: 'new-cart', shipped_at: '2020-01-01T00:00:00Z' }, key)
    const { items } = (await project.get<Page<ChangeJson>>('/v1/changes', key)).body
    expect(items).toMatchObject([
      { source: 'telemetry', service: 'shop', version: '1.1' },
      { source: 'announced', version: null, shipped_at: '2020-01-01T00:00:00.000Z' },
    ])
    expect((await project.get<Page<ChangeJson>>('/v1/changes', key)).body.items).toHaveLength(2)
  })

  test('does not enter a version that was announced', async () => {
    const { key, send } = await fresh('announced first')
    await project.post('/v1/changes', { kind: 'release', service: 'shop', version: '2' }, key)
    send([{ trace: 'a', span: '1', resource: { 'service.version': '1' } }])
    send([{ trace: 'b', span: '2', resource: { 'service.version': '2' } }])
    expect((await project.get<Page<ChangeJson>>('/v1/changes', key)).body.items).toMatchObject([
      { source: 'announced', version: '2' },
    ])
  })

  test('comes in pages', async () => {
    const { key } = await fresh('ledger pages')
    for (let i = 0; i < 5; i++)
      await project.post('/v1/changes', { kind: 'config', ref: `r${i}`, shipped_at: '2024-01-01T00:00:00Z' }, key)
    const ids: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `/v1/changes?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const page: Page<ChangeJson> = (await project.get<Page<ChangeJson>>(path, key)).body
      ids.push(...page.items.map(({ change_id }) => change_id))
      cursor = page.next_cursor
    }
    expect([ids.length, new Set(ids).size]).toEqual([5, 5])
  })

  test.each([
    ['an unknown pain', { kind: 'release', pain_ids: ['pain_0'] }, 404],
    ['an unknown kind', { kind: 'wish' }, 400],
    ['no kind', {}, 400],
    ['a time that is none', { kind: 'release', shipped_at: 'yesterday' }, 400],
  ])('refuses %s', async (_, json, status) => expect((await project.post('/v1/changes', json)).status).toBe(status))
})

describe('a verdict', () => {
  const shippedAt = (now: number) => new Date(now - 2 * HOUR_MS).toISOString()

  test.each([
    ['held, when the failures stopped', 0, 'held', null],
    ['refused, when nothing moved and a fall by half would not have shown', 60, 'refused', 'insufficient_traffic'],
    ['worse, when there are many more', 200, 'worse', null],
  ])('is %s', async (name, failuresAfter, verdict, reason) => {
    const { now, key, send, decide, painId, verify } = await fresh(`verdict ${name.slice(0, 9)}`)
    send(traffic('before', { runs: 300, failures: 60, endMs: now - 3 * HOUR_MS }))
    send(traffic('after', { runs: 300, failures: failuresAfter, endMs: now - HOUR_MS / 2 }))
    decide()
    const pain_id = await painId()
    const change = (
      await project.post<ChangeJson>('/v1/changes', { kind: 'release', pain_ids: [pain_id], shipped_at: shippedAt(now) }, key)
    ).body
    const said = await verify({ change_id: change.change_id })
    expect(said).toMatchObject({ verdict, reason, change_id: change.change_id, pain_id })
    expect(said.before).toMatchObject({ failures: 60, runs: 300, window: { from: expect.any(String), to: expect.any(String) } })
    expect(said.after).toMatchObject({ failures: failuresAfter, runs: 300 })
  })

  test('is shown by the dashboard and by the state of the pain', async () => {
    const { now, key, send, decide, painId, verify } = await fresh('shown')
    send(traffic('before', { runs: 300, failures: 60, endMs: now - 3 * HOUR_MS }))
    send(traffic('after', { runs: 300, failures: 0, endMs: now - HOUR_MS / 2 }))
    decide()
    const pain_id = await painId()
    const status = async () => (await project.get<{ status: string }>(`/v1/pains/${pain_id}`, key)).body.status
    expect(await status()).toBe('new')
    await project.post('/v1/changes', { kind: 'release', pain_ids: [pain_id], shipped_at: shippedAt(now) }, key)
    expect(await status()).toBe('in_progress')
    project.analyzer.advance(1)
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'held', change_percent: -100 })
    expect(await status()).toBe('verified')
    const { value, wins } = (await project.get<Dashboard>('/v1/dashboard', key)).body
    expect(value).toMatchObject({ held_count: 1, slipped_count: 0, regression_rate: 0, momentum: 'improving' })
    expect(wins).toMatchObject([{ pain_id, verdict: 'held', before: { failures: 60, runs: 300 } }])
  })

  test('is not found for an unknown change or pain, and asks for one of them', async () => {
    expect((await project.post('/v1/runs/verify', { change_id: 'chg_0' })).status).toBe(404)
    expect((await project.post('/v1/runs/verify', { pain_id: 'pain_0' })).status).toBe(404)
    expect((await project.post('/v1/runs/verify', {})).status).toBe(400)
  })
})

describe('a verdict is refused, never held out of silence', () => {
  const change = (now: number, more: object = {}) => ({
    kind: 'release',
    shipped_at: new Date(now - 2 * HOUR_MS).toISOString(),
    ...more,
  })

  test('without any change', async () => {
    const { now, send, decide, painId, verify } = await fresh('no change')
    send(traffic('before', { runs: 10, failures: 3, endMs: now - HOUR_MS }))
    decide()
    expect(await verify({ pain_id: await painId() })).toMatchObject({ verdict: 'refused', reason: 'no_data', change_id: null })
  })

  test.each([
    ['no_data', 'nothing came after', [] as SpanDraft[]],
    ['path_not_exercised', 'other work came after', [{ trace: 'x', span: 'x', name: 'other' }] as SpanDraft[]],
  ])('%s: %s', async (reason, _, after) => {
    const { now, key, send, decide, painId, verify } = await fresh(`refused ${reason}`)
    send(traffic('before', { runs: 300, failures: 60, endMs: now - 3 * HOUR_MS }))
    if (after.length > 0) send(after.map((draft) => ({ ...draft, startMs: now - HOUR_MS })))
    decide()
    const pain_id = await painId()
    await project.post('/v1/changes', change(now, { pain_ids: [pain_id] }), key)
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'refused', reason, ratio: { value: null } })
  })

  test('insufficient_traffic: too few runs came after, and it says how many are missing', async () => {
    const { now, key, send, decide, painId, verify } = await fresh('too few')
    send(traffic('before', { runs: 300, failures: 30, endMs: now - 3 * HOUR_MS }))
    send(traffic('after', { runs: 10, failures: 0, endMs: now - HOUR_MS / 2 }))
    decide()
    const pain_id = await painId()
    await project.post('/v1/changes', change(now, { pain_ids: [pain_id] }), key)
    const said = await verify({ pain_id })
    expect(said).toMatchObject({ verdict: 'refused', reason: 'insufficient_traffic' })
    expect(said.runs_needed).toBeGreaterThan(30)
  })

  test('still_on_old_version: what came after carries the old version', async () => {
    const { now, key, send, decide, painId, verify } = await fresh('old version')
    send(traffic('before', { runs: 300, failures: 60, endMs: now - 3 * HOUR_MS, release: '1' }))
    send(traffic('after', { runs: 300, failures: 0, endMs: now - HOUR_MS / 2, release: '1' }))
    decide()
    const pain_id = await painId()
    await project.post('/v1/changes', change(now, { pain_ids: [pain_id], service: 'shop', version: '2' }), key)
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'refused', reason: 'still_on_old_version', versions: ['1'] })
  })

  test('a record is judged by its own version, not by when it happened', async () => {
    const { now, key, send, decide, painId, verify } = await fresh('own version')
    send(traffic('old', { runs: 300, failures: 60, endMs: now - HOUR_MS / 2, release: '1' }))
    send(traffic('new', { runs: 300, failures: 0, endMs: now - 3 * HOUR_MS, release: '2' }))
    decide()
    const pain_id = await painId()
    await project.post('/v1/changes', change(now, { pain_ids: [pain_id], service: 'shop', version: '2' }), key)
    expect(await verify({ pain_id })).toMatchObject({
      verdict: 'held',
      before: { failures: 60, runs: 300 },
      after: { failures: 0, runs: 300 },
      versions: ['1', '2'],
    })
  })

  test('a failure that changed its words has moved', async () => {
    const { now, key, send, decide, painId, verify } = await fresh('moved')
    send(traffic('before', { runs: 300, failures: 60, endMs: now - 3 * HOUR_MS }))
    const after = traffic('after', { runs: 300, failures: 60, endMs: now - HOUR_MS / 2 })
    send(after.map((draft) => (draft.error === undefined ? draft : { ...draft, error: 'payment provider said no' })))
    decide()
    await painId()
    const { items } = (await project.get<{ items: { pain_id: string; title: string }[] }>('/v1/pains', key)).body
    const pain_id = items.find(({ title }) => title.includes('declined'))!.pain_id
    await project.post('/v1/changes', change(now, { pain_ids: [pain_id] }), key)
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'moved', after: { failures: 0 } })
  })

  test('a window with an undecided trace is not read', async () => {
    const { now, key, send, decide, painId, verify } = await fresh('undecided')
    send(traffic('before', { runs: 300, failures: 60, endMs: now - 3 * HOUR_MS }))
    decide()
    send(traffic('after', { runs: 300, failures: 1, endMs: now - HOUR_MS / 2 }))
    const pain_id = await painId()
    await project.post('/v1/changes', change(now, { pain_ids: [pain_id] }), key)
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'refused', reason: 'no_data' })
  })
})

describe('versions that were sent late', () => {
  test('stand in the order of their events, and began with the first of them', async () => {
    const { now, key, send } = await fresh('backfilled versions')
    const [first, second] = [now - 10 * HOUR_MS, now - 5 * HOUR_MS]
    send(traffic('two', { runs: 10, failures: 0, endMs: second, release: '2.0' }))
    send(traffic('one', { runs: 10, failures: 0, endMs: first, release: '1.0' }))
    const { items } = (await project.get<Page<ChangeJson>>('/v1/changes', key)).body
    expect(items).toMatchObject([{ version: '2.0', source: 'telemetry' }])
    expect(Date.parse(items[0]!.shipped_at)).toBeLessThan(second)
  })

  test('a clock that is years wrong does not make a version the first', async () => {
    const { now, key, send } = await fresh('wrong clock')
    send(traffic('one', { runs: 1, failures: 0, endMs: now - 10 * HOUR_MS, release: '1.0' }))
    send(traffic('two', { runs: 1, failures: 0, endMs: 10 * HOUR_MS, release: '2.0' }))
    const { items } = (await project.get<Page<ChangeJson>>('/v1/changes', key)).body
    expect(items).toMatchObject([{ version: '2.0' }])
  })
})

test('a change that has yet to ship is not what a pain is judged by', async () => {
  const { now, key, send, decide, painId, verify } = await fresh('to ship')
  send(traffic('before', { runs: 40, failures: 20, endMs: now - HOUR_MS }))
  decide()
  const pain_id = await painId()
  const past = await project.post<ChangeJson>(
    '/v1/changes',
    { kind: 'config', shipped_at: new Date(now - HOUR_MS).toISOString() },
    key,
  )
  await project.post('/v1/changes', { kind: 'release', shipped_at: new Date(now + 100 * HOUR_MS).toISOString() }, key)
  expect(await verify({ pain_id })).toMatchObject({ change_id: past.body.change_id })
})

test('the instance’s own project has no changes of its own making', async () => {
  const ask = (() => {
    throw new Error('telemetry was asked')
  }) as AskTelemetry
  const seen = { enterReleases: () => {}, enterMarkers: () => {} }
  const enter = createEnterReleases({ ask, nowMs: () => 0 }, { seen } as unknown as ChangeStores)
  await expect(enter({ projectNo: 1, projectId: OWN_PROJECT_ID })).resolves.toBeUndefined()
  await expect(enter({ projectNo: 1, projectId: 'shop-00000000' })).rejects.toThrow('telemetry was asked')
})
