import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'
import { createFresh, HOUR_MS, traffic } from './changes.fixture.ts'

let project: TelemetryProject
let fresh: ReturnType<typeof createFresh>
beforeAll(async () => {
  project = await startTelemetryProject()
  fresh = createFresh(project)
})
afterAll(() => project.end())

type Terms = { runs: number; failures: number; error?: string }
const side =
  (hoursAgo: number) =>
  (now: number, name: string, { runs, failures, error }: Terms, more?: Partial<SpanDraft>) =>
    traffic(name, {
      ...{ runs, failures, endMs: now - hoursAgo * HOUR_MS },
      more: (_, fails) => ({ ...more, ...(fails && error !== undefined && { error }) }),
    })
const before = side(3)
const after = side(0.5)
const shippedAt = (now: number) => new Date(now - 2 * HOUR_MS).toISOString()
const tenant = (name: string): Partial<SpanDraft> => ({ attributes: { 'tenant.id': name } })

describe('a plan is frozen when a change is recorded', () => {
  test('with what the traffic before needs, and the same digest whenever it is asked for', async () => {
    const { now, send, decide, painId, announce, verify } = await fresh('frozen')
    send(before(now, 'b', { runs: 300, failures: 60 }))
    decide()
    const pain_id = await painId()
    const { change_id, plans } = await announce({ pain_ids: [pain_id], shipped_at: shippedAt(now) })
    expect(plans).toMatchObject([{ pain_id, plan_digest: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    expect(plans[0]!.minimum_runs).toBeGreaterThan(50)
    expect(plans[0]!.window_hours).toBeGreaterThan(0)
    send(after(now, 'a', { runs: 300, failures: 0 }))
    decide()
    expect(await verify({ change_id })).toMatchObject({ verdict: 'held', plan: plans[0] })
    send(side(2.5)(now, 'late', { runs: 200, failures: 40 }))
    expect((await verify({ pain_id })).plan).toEqual(plans[0])
  })

  test('when a pain is first judged by a change that nobody tied to it', async () => {
    const { now, send, decide, painId, announce, verify } = await fresh('first judged')
    send(before(now, 'b', { runs: 300, failures: 60 }))
    decide()
    const pain_id = await painId()
    expect((await announce({ shipped_at: shippedAt(now) })).plans).toEqual([])
    const { plan } = await verify({ pain_id })
    expect(plan).toMatchObject({ pain_id })
    project.analyzer.advance(60_000)
    expect((await verify({ pain_id })).plan).toEqual(plan)
  })

  test('and judges the pain as it was, though it was merged into another one since', async () => {
    const { now, send, decide, pains, announce, verify, post } = await fresh('merged since')
    send(before(now, 'b', { runs: 300, failures: 60 }))
    send(before(now, 'o', { runs: 300, failures: 60, error: 'no such account' }))
    decide()
    const find = async (word: string) => (await pains()).find(({ title }) => title.includes(word))!.pain_id
    const [mended, other] = [await find('declined'), await find('account')]
    const { change_id } = await announce({ pain_ids: [mended], shipped_at: shippedAt(now) })
    await post(`/v1/pains/${mended}/merge`, { into: other })
    // The parent key is that of both, so it must fall for the one to be held: of the other there is less traffic, too.
    send(after(now, 'a', { runs: 600, failures: 6, error: 'no such account' }))
    decide()
    const said = { verdict: 'held', pain_id: mended, before: { failures: 60 }, after: { failures: 0 } }
    expect(await verify({ change_id })).toMatchObject(said)
    expect(await verify({ pain_id: mended })).toMatchObject(said)
  })

  test('and counts all parts of a pain that was split since', async () => {
    const { now, send, decide, decideByRules, painId, announce, verify, post } = await fresh('split since')
    send(before(now, 'b', { runs: 300, failures: 60 }, tenant('x')))
    decide()
    const pain_id = await painId()
    await announce({ pain_ids: [pain_id], shipped_at: shippedAt(now) })
    await post(`/v1/pains/${pain_id}/split`, { attribute: 'tenant.id' })
    send(after(now, 'a', { runs: 300, failures: 60 }, tenant('y')))
    decideByRules()
    expect(await verify({ pain_id })).toMatchObject({ before: { failures: 60, runs: 300 }, after: { failures: 60, runs: 300 } })
  })

  test('for a part of a split pain by its own failures, also those from before the split', async () => {
    const { now, send, decide, decideByRules, painId, pains, announce, verify, post } = await fresh('split part')
    send(before(now, 'bx', { runs: 200, failures: 60 }, tenant('x')))
    send(before(now, 'by', { runs: 200, failures: 50 }, tenant('y')))
    decide()
    await post(`/v1/pains/${await painId()}/split`, { attribute: 'tenant.id' })
    const find = async (word: string) => (await pains()).find(({ title }) => title.includes(`tenant.id=${word}`))!.pain_id
    const [x, y] = [await find('x'), await find('y')]
    await announce({ pain_ids: [x, y], shipped_at: shippedAt(now) })
    send(after(now, 'a', { runs: 400, failures: 50 }, tenant('y')))
    decideByRules()
    expect(await verify({ pain_id: y })).toMatchObject({
      before: { failures: 50, runs: 400 },
      after: { failures: 50, runs: 400 },
    })
    const said = await verify({ pain_id: x })
    expect(said).toMatchObject({ before: { failures: 60, runs: 400 }, after: { failures: 0, runs: 400 } })
    expect(said.verdict).not.toBe('refused')
  })
})

describe('a verdict', () => {
  test('of a change that names several pains is that of the one which stands worst', async () => {
    const { now, send, decide, pains, announce, verify } = await fresh('several')
    send(before(now, 'b', { runs: 300, failures: 60 }))
    send(before(now, 'o', { runs: 300, failures: 60, error: 'no such account' }))
    send(after(now, 'a', { runs: 600, failures: 130, error: 'no such account' }))
    decide()
    const ids = (await pains()).map(({ pain_id }) => pain_id)
    const { change_id } = await announce({ pain_ids: ids, shipped_at: shippedAt(now) })
    const each = await Promise.all(ids.map((pain_id) => verify({ change_id, pain_id })))
    const said = await verify({ change_id })
    expect(said).toMatchObject({
      verdict: 'worse',
      pains: expect.arrayContaining(each.map(({ verdict, pain_id }) => expect.objectContaining({ verdict, pain_id }))),
    })
  })

  test('is refused where healthy runs are sampled otherwise than before', async () => {
    const { now, send, decide, painId, announce, verify } = await fresh('sampled')
    send(before(now, 'b', { runs: 1200, failures: 60 }))
    send(after(now, 'a', { runs: 240, failures: 60 }))
    decide()
    const pain_id = await painId()
    await announce({ pain_ids: [pain_id], shipped_at: shippedAt(now) })
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'refused', reason: 'sampling_changed' })
  })

  test.each([
    ['inconclusive, where a fall is too small to be told', 295, 'refused', 'inconclusive'],
    ['unchanged, where the interval lies inside the margin', 360, 'unchanged', null],
  ])('is %s', async (name, failures, verdict, reason) => {
    const { now, send, decide, painId, announce, verify } = await fresh(`said ${name.slice(0, 9)}`)
    send(before(now, 'b', { runs: 400, failures: 360 }))
    send(after(now, 'a', { runs: 400, failures }))
    decide()
    const pain_id = await painId()
    await announce({ pain_ids: [pain_id], shipped_at: shippedAt(now) })
    expect(await verify({ pain_id })).toMatchObject({ verdict, reason })
  })

  test('counts no failure of a flushed queue whose runs are not read yet', async () => {
    const { now, projectNo, send, decide, painId, announce, verify } = await fresh('flushed')
    const sendAt = (receivedMs: number, drafts: SpanDraft[]) => project.telemetry.send(projectNo, receivedMs, drafts)
    sendAt(now - HOUR_MS, before(now, 'b', { runs: 300, failures: 60 }))
    sendAt(now - HOUR_MS, after(now, 'a', { runs: 300, failures: 1 }))
    decide()
    const pain_id = await painId()
    await announce({ pain_ids: [pain_id], shipped_at: shippedAt(now) })
    const held = await verify({ pain_id })
    expect(held).toMatchObject({ verdict: 'held', before: { failures: 60 }, after: { failures: 1 } })
    send(after(now, 'flushed', { runs: 200, failures: 50 }))
    decide()
    // Arrived earlier and is still undecided: nothing since then is read.
    sendAt(now - 5 * 60_000, [{ trace: 'open', span: 'open', name: 'charge', startMs: now - 6 * 60_000, error: 'card declined' }])
    expect(await verify({ pain_id })).toMatchObject({ before: held.before, after: held.after })
    decide()
    expect(await verify({ pain_id })).toMatchObject({ after: { failures: 52, runs: 501 } })
  })

  test('that held slips when the failures come back', async () => {
    const { now, key, send, decide, painId, announce, verify } = await fresh('comes back')
    send(before(now, 'b', { runs: 300, failures: 60 }))
    send(after(now, 'a', { runs: 300, failures: 2 }))
    decide()
    const pain_id = await painId()
    await announce({ pain_ids: [pain_id], shipped_at: shippedAt(now) })
    project.analyzer.advance(60_000)
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'held' })
    project.analyzer.advance(3 * HOUR_MS)
    send(side(0)(project.analyzer.nowMs(), 'again', { runs: 300, failures: 55 }))
    decide()
    expect(await verify({ pain_id })).toMatchObject({ verdict: 'slipped' })
    const { body } = await project.get<{ wins: object[]; regressions_detail: object[] }>('/v1/dashboard', key)
    expect(body).toMatchObject({
      wins: [],
      regressions_detail: [{ pain_id, verdict: 'slipped' }],
      summary: { regression_rate: 1 },
      value: { held_count: 0, slipped_count: 1, momentum: 'slipping' },
    })
  })
})
