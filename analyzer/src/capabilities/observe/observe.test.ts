import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

interface Observation {
  observation_id: string | null
  memory: {
    last_decided_at: string | null
    fixed: { pain_id: string; verdict: string; since_last_decision: boolean }[]
    slipped: object[]
    in_flight: { pain_id: string; note: string | null; change_id: string | null }[]
  }
  new: { pain_id: string; title: string; count: number; first_time: boolean; evidence_ids: string[]; status: string }[]
  new_total: number
  more_since: boolean
}

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const HOUR_MS = 3_600_000

/** One run of an operation every minute of an hour, of which every third fails. */
const failing = (name: string, endMs: number, error: string | null = name): SpanDraft[] =>
  Array.from({ length: 120 }, (_, i) => ({
    trace: `${name}-${endMs}-${i}`,
    span: `${name}-${i}`,
    name,
    startMs: endMs - Math.floor((i * HOUR_MS) / 120) - 1000,
    ...(error !== null && i % 3 === 0 && { error: `${error} broke` }),
  }))

async function fresh(name: string) {
  const { projectNo, projectId, key } = await project.provision(name)
  const now = project.analyzer.nowMs()
  const fail = (drafts: SpanDraft[]) => {
    project.telemetry.send(projectNo, now - 1000, drafts)
    project.telemetry.decide(projectNo, projectId, now)
  }
  const observe = async (json: object = {}) => (await project.post<Observation>('/v1/observe', json, key)).body
  const decide = (json: object) => project.post<{ undecided: number; code?: string }>('/v1/decide', json, key)
  return { now, key, fail, observe, decide }
}

test('what is new is claimed once, and what comes after a decision is new again', async () => {
  const { now, fail, observe, decide } = await fresh('cursor')
  fail(failing('pay', now))
  const first = await observe()
  expect(first.new).toMatchObject([{ count: 40, first_time: true, status: 'new' }])
  const { pain_id } = first.new[0]!
  await decide({ observation_id: first.observation_id, decisions: [{ pain_id, next: 'observe' }] })
  expect((await observe({ peek: true })).new).toEqual([])
  fail(failing('pay', now - HOUR_MS).slice(0, 9))
  fail(failing('ship', now))
  const second = await observe()
  expect(second.new.map(({ pain_id: id, count, first_time }) => [id === pain_id, count, first_time])).toEqual([
    [false, 40, true],
    [true, 3, false],
  ])
})

test('an agent that asks again before it decided gets the same observation, with what has failed since added to it', async () => {
  const { now, fail, observe, decide } = await fresh('resume')
  fail(failing('pay', now))
  const first = await observe()
  expect(await observe()).toEqual(first)
  fail(failing('ship', now))
  fail(failing('pay', now - HOUR_MS).slice(0, 9))
  const again = await observe()
  expect([again.observation_id, again.more_since]).toEqual([first.observation_id, false])
  const [pay, ship] = ['pay', 'ship'].map((name) => again.new.find(({ title }) => title.includes(name))!)
  expect([again.new.length, pay!.count, ship!.count]).toEqual([2, 43, 40])
  await decide({ observation_id: first.observation_id, decisions: [{ pain_id: pay!.pain_id, next: 'skip' }] })
  expect((await observe()).new).toMatchObject([{ count: 40, title: expect.stringContaining('ship') }])
})

test('who observes where nothing failed yet hears of the first failure without closing anything', async () => {
  const { now, fail, observe, decide } = await fresh('nothing yet')
  const before = await observe()
  expect(before).toMatchObject({ new: [], more_since: false })
  fail(failing('pay', now))
  const after = await observe()
  expect(after).toMatchObject({
    observation_id: before.observation_id,
    new: [{ count: 40, first_time: true }],
    more_since: false,
  })
  const { pain_id } = after.new[0]!
  expect((await decide({ observation_id: after.observation_id, decisions: [{ pain_id, next: 'skip' }] })).status).toBe(200)
  expect((await observe()).new).toEqual([])
})

test('a peek claims nothing and cannot be decided', async () => {
  const { now, fail, observe, decide } = await fresh('peek')
  fail(failing('pay', now))
  const peek = await observe({ peek: true })
  expect(peek).toMatchObject({ observation_id: null, new: [{ count: 40 }] })
  expect((await observe({ peek: true })).new).toEqual(peek.new)
  expect((await decide({ observation_id: '', decisions: [] })).status).toBe(404)
})

test('two agents that observe at once share one observation, and only the first decision counts', async () => {
  const { now, fail, observe, decide } = await fresh('two agents')
  fail(failing('pay', now))
  const both = await Promise.all([observe(), observe()])
  expect(new Set(both.map(({ observation_id }) => observation_id)).size).toBe(1)
  const close = () => decide({ observation_id: both[0].observation_id, decisions: [] })
  expect([(await close()).status, (await close()).status]).toEqual([200, 409])
})

test('a pain that no decision names waits for the next observation, with its failures added up', async () => {
  const { now, fail, observe, decide } = await fresh('waiting')
  fail(failing('pay', now))
  const first = await observe()
  expect((await decide({ observation_id: first.observation_id, decisions: [] })).body.undecided).toBe(1)
  fail(failing('pay', now - HOUR_MS))
  expect((await observe()).new).toMatchObject([{ count: 80, first_time: true }])
})

test('what is to be patched is in flight, and fixed once traffic shows it', async () => {
  const { now, key, fail, observe, decide } = await fresh('memory')
  fail(failing('pay', now - 3 * HOUR_MS))
  const first = await observe()
  const { pain_id } = first.new[0]!
  await decide({ observation_id: first.observation_id, decisions: [{ pain_id, next: 'patch', note: 'retry was missing' }] })
  expect((await observe({ peek: true })).memory.in_flight).toMatchObject([
    { pain_id, note: 'retry was missing', change_id: null },
  ])
  project.analyzer.advance(1)
  await project.post(
    '/v1/changes',
    { kind: 'release', pain_ids: [pain_id], shipped_at: new Date(now - 2 * HOUR_MS).toISOString() },
    key,
  )
  fail(failing('pay', now, null))
  project.analyzer.advance(1)
  expect((await project.post('/v1/runs/verify', { pain_id }, key)).body).toMatchObject({ verdict: 'held' })
  const { memory } = await observe({ peek: true })
  expect(memory).toMatchObject({ in_flight: [], fixed: [{ pain_id, verdict: 'held', since_last_decision: true }] })
})

test('evidence of what is new can be read', async () => {
  const { now, key, fail, observe } = await fresh('evidence')
  fail(failing('pay', now))
  const { evidence_ids } = (await observe()).new[0]!
  expect(evidence_ids).toHaveLength(5)
  const { body } = await project.get<{ items: object[] }>(`/v1/telemetry?record_id=${evidence_ids[0]}`, key)
  expect(body.items).toHaveLength(1)
})

test.each([
  ['a pain that was not observed', { decisions: [{ pain_id: 'pain_0', next: 'skip' }] }, 400],
  ['a next step that is none', { decisions: [{ pain_id: 'pain_0', next: 'wish' }] }, 400],
  ['no decisions', {}, 400],
])('a decision about %s is refused', async (_, json, status) => {
  const { now, fail, observe, decide } = await fresh(`refused ${JSON.stringify(json).slice(0, 60)}`)
  fail(failing('pay', now))
  const { observation_id } = await observe()
  expect((await decide({ observation_id, ...json })).status).toBe(status)
})

test('another project’s observation is not found', async () => {
  const one = await fresh('owner')
  const other = await fresh('other')
  const { observation_id } = await one.observe()
  expect((await other.decide({ observation_id, decisions: [] })).status).toBe(404)
})
