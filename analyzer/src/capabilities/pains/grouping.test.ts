import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { checkRun } from '@loopkit/shared/eval-candidate/check-run'
import { runOfRecords } from '@loopkit/shared/eval-candidate/run-of-records'
import type { SpanRecord } from '@loopkit/shared/span/record'
import type { DiagnosisPacket, Issue } from '../../domain/packet/model.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

interface Listed {
  items: { pain_id: string; title: string; count: number; session_count: number; muted: { reason: string } | null }[]
}
interface Member {
  pain_id: string
  merged_into: string
  merged_by: string
}
interface Pain {
  pain_id: string
  merged_into: string | null
  members: Member[]
  muted: { reason: string; until: string | null } | null
  issue: Issue | null
  history: { day: string; failures: number }[]
}
interface Observation {
  observation_id: string
  new: { pain_id: string; count: number; first_time: boolean }[]
  new_total: number
}

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const SESSION = 'session.id'
const failing = (trace: string, name: string, session = trace): SpanDraft => ({
  trace,
  span: `${trace}-${name}`,
  name,
  error: `${name} declined`,
  attributes: { [SESSION]: session },
})

/** A project whose failures of `names` are decided, and its pains by the name of their operation. */
async function startPains(title: string, drafts: readonly SpanDraft[], decided = true) {
  const owner = await project.provision(title)
  const { projectNo, projectId, key } = owner
  const send = (spans: readonly SpanDraft[], agoMs = 1000) => {
    project.telemetry.send(projectNo, project.analyzer.nowMs() - agoMs, spans)
    if (decided) project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs())
  }
  send(drafts, 2000)
  const list = async () => (await project.get<Listed>('/v1/pains', key)).body.items
  const names = [...new Set(drafts.map(({ name }) => name!))]
  const ids = await list()
  const idOf = (name: string) => ids.find((pain) => pain.title.includes(`${name} declined`))!.pain_id
  const call = (painId: string, what: string, body: object = {}) => project.post<Pain>(`/v1/pains/${painId}/${what}`, body, key)
  const read = async (painId: string) => (await project.get<Pain>(`/v1/pains/${painId}`, key)).body
  const observe = async () => (await project.post<Observation>('/v1/observe', { peek: true }, key)).body
  const diagnose = async (body: object = {}) =>
    (await project.post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', body, key)).body.packet
  return { ...owner, send, list, call, read, observe, diagnose, pains: names.map(idOf) as [string, string, string] }
}

const now = () => project.analyzer.nowMs()
const repeated = (name: string, times = 3) => Array.from({ length: times }, (_, i) => failing(`${name}-${i}`, name))

describe('a muted pain', () => {
  test('is left out of packets, of what is new, and of open pains, and is named and listed with its reason', async () => {
    const { pains, call, list, observe, diagnose, key } = await startPains('muted', [...repeated('pay'), ...repeated('ship')])
    const [pay, ship] = pains
    const until = new Date(now() + 3_600_000).toISOString()
    const muted = await call(pay, 'mute', { reason: 'known outage', until })
    expect([muted.status, muted.body]).toMatchObject([200, { pain_id: pay, muted: { reason: 'known outage', until } }])
    const packet = await diagnose()
    expect(packet.issues.map(({ pain_id }) => pain_id)).toEqual([ship])
    expect(packet.omitted).toContainEqual({ what: 'issues', count: 1, reason: 'muted', ids: [pay], href: '/v1/pains' })
    expect((await observe()).new.map(({ pain_id }) => pain_id)).toEqual([ship])
    const { body } = await project.get<{ open_pains: { pain_id: string }[]; value: object }>('/v1/dashboard', key)
    expect(body.open_pains.map(({ pain_id }) => pain_id)).toEqual([ship])
    expect(body.value).toMatchObject({ open_pain_count: 1 })
    expect((await list()).map(({ pain_id, muted: why }) => [pain_id, why?.reason ?? null]).sort()).toEqual(
      [
        [pay, 'known outage'],
        [ship, null],
      ].sort(),
    )
  })

  test('is heard of again when it is unmuted, with all that came meanwhile', async () => {
    const { pains, call, send, observe } = await startPains('unmuted', repeated('pay'))
    const [pay] = pains
    await call(pay, 'mute', { reason: 'noise' })
    send([failing('later', 'pay')])
    expect((await observe()).new).toEqual([])
    expect((await call(pay, 'unmute')).body.muted).toBeNull()
    expect((await observe()).new).toMatchObject([{ pain_id: pay, count: 4 }])
  })

  test('that alone repeats makes no packet ready', async () => {
    const { pains, call, diagnose } = await startPains('not ready', repeated('pay'))
    await call(pains[0], 'mute', { reason: 'noise', until: null })
    expect(await diagnose()).toMatchObject({ status: 'observe_more', issues: [], failures: 3, approval_required: false })
  })

  test('comes back by itself when its time has passed', async () => {
    const { pains, call, read, diagnose } = await startPains('passing', repeated('pay'))
    const mute = await call(pains[0], 'mute', { reason: 'night', until: new Date(now() + 5000).toISOString() })
    expect(mute.status).toBe(200)
    const ends = project.analyzer.control.sqlite.prepare('update pain_mute set until_ms = ? where pain_id = ?')
    ends.run(now(), pains[0])
    expect((await read(pains[0])).muted).toBeNull()
    expect((await diagnose()).issues).toHaveLength(1)
  })

  test.each([300, 320, 400])('leaves a packet inside a budget of %i tokens', async (budget_tokens) => {
    const { pains, call, key } = await startPains(`muted budget ${budget_tokens}`, [...repeated('pay'), ...repeated('ship')])
    await call(pains[0], 'mute', { reason: 'noise' })
    const { status, body } = await project.post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', { budget_tokens }, key)
    expect(status).toBe(200)
    expect(body.packet.omitted.some(({ reason }) => reason === 'muted')).toBe(true)
  })

  test.each([
    ['no reason', {}, 400, 'invalid_body'],
    ['an empty one', { reason: '' }, 400, 'invalid_body'],
    ['an end that is no time', { reason: 'x', until: 'tomorrow' }, 400, 'invalid_body'],
    ['an end in a leap second', { reason: 'x', until: '2030-12-31T23:59:60Z' }, 400, 'until_in_the_past'],
    ['an end that has passed', { reason: 'x', until: '2020-01-01T00:00:00Z' }, 400, 'until_in_the_past'],
  ])('with %s is refused', async (_, body, status, code) => {
    const { pains, call } = await startPains(`bad mute ${JSON.stringify(body)}`, repeated('pay', 1))
    const answer = await call(pains[0], 'mute', body)
    expect([answer.status, (answer.body as unknown as { code: string }).code]).toEqual([status, code])
  })
})

describe('merged pains', () => {
  test.each(['decided', 'undecided'])('are one, with distinct traces and sessions, %s', async (state) => {
    const drafts = [failing('a', 'pay', 's1'), failing('b', 'pay', 's2'), failing('c', 'ship', 's2'), failing('a', 'ship', 's1')]
    const { pains, call, list, diagnose } = await startPains(`merged ${state}`, drafts, state === 'decided')
    const [pay, ship] = pains
    const answer = await call(ship, 'merge', { into: pay })
    expect([answer.status, answer.body]).toMatchObject([200, { pain_id: ship, merged_into: pay, members: [{ pain_id: ship }] }])
    expect(await list()).toMatchObject([{ pain_id: pay, count: 4, session_count: 2 }])
    const [issue] = (await diagnose()).issues as [Issue]
    expect(new Set(issue.traces.map(({ trace_id }) => trace_id)).size).toBe(3)
    expect([issue.pain_id, issue.count, issue.evidence_count, issue.evidence_ids.length]).toEqual([pay, 4, 4, 4])
    expect(issue.why).toContain('in 3 traces and 2 sessions')
    expect(issue.title).toContain('pay declined')
  })

  test('of different signals have a draft that names both, and a candidate that either of their failures fails and healthy runs pass', async () => {
    const timeout = failing('b', 'ship')
    const drafts = [failing('a', 'pay'), { ...timeout, error: 'ship declined: deadline exceeded' }]
    const { pains, call, send, diagnose, key } = await startPains('mixed signals', drafts)
    await call(pains[1], 'merge', { into: pains[0] })
    send([
      { trace: 'ok-1', span: 'ok-1', name: 'pay' },
      { trace: 'ok-2', span: 'ok-2', name: 'ship' },
    ])
    const [issue] = (await diagnose()).issues as [Issue]
    const { assertions, must_fail_on } = issue.eval_candidate!
    expect(
      assertions
        .filter(({ kind }) => kind === 'signal_absent')
        .map(({ expected }) => expected)
        .sort(),
    ).toEqual(['error_status', 'timeout'])
    expect(issue.issue_draft!.body_md).toContain('Merged with it:')
    expect(issue.issue_draft!.body_md).toMatch(/`ship`[\s\S]*`pay`|`pay`[\s\S]*`ship`/)
    const verdictOf = async (trace: string) => {
      const { body } = await project.get<{ items: SpanRecord[] }>(`/v1/sessions/${trace}`, key)
      return checkRun(assertions, runOfRecords(body.items)).verdict
    }
    expect(must_fail_on).toHaveLength(2)
    expect([await verdictOf('a'), await verdictOf('b'), await verdictOf('ok-1'), await verdictOf('ok-2')]).toEqual([
      'fail',
      'fail',
      'pass',
      'pass',
    ])
  })

  test('count failures of both over the runs of both operations, decided or not', async () => {
    const { pains, call, send, diagnose, projectNo } = await startPains('runs', [failing('a', 'pay'), failing('b', 'ship')])
    send([
      { trace: 'ok-1', span: 'ok-1', name: 'pay' },
      { trace: 'ok-2', span: 'ok-2', name: 'ship' },
    ])
    project.telemetry.send(projectNo, now() - 500, [failing('c', 'pay'), failing('d', 'ship')])
    await call(pains[0], 'merge', { into: pains[1] })
    expect((await diagnose()).issues).toMatchObject([{ pain_id: pains[1], count: 4 }])
    expect((await diagnose()).issues[0]!.why).toContain('4 of 6 runs')
  })

  test('stay one for failures that come later, also where only what was merged away fails', async () => {
    const { pains, call, send, observe, list } = await startPains('later', [failing('a', 'pay'), failing('b', 'ship')])
    const [pay, ship] = pains
    await call(ship, 'merge', { into: pay })
    send([failing('c', 'ship'), failing('d', 'pay')])
    expect((await list()).map(({ pain_id, count }) => [pain_id, count])).toEqual([[pay, 4]])
    expect((await observe()).new).toMatchObject([{ pain_id: pay, count: 4, first_time: true }])
  })

  test('answer under both ids, with history, members and who merged them', async () => {
    const { pains, call, read, key } = await startPains('ids', [failing('a', 'pay'), failing('b', 'ship')])
    const [pay, ship] = pains
    await call(ship, 'merge', { into: pay })
    const away = await read(ship)
    expect(away).toMatchObject({ pain_id: ship, merged_into: pay, issue: { pain_id: pay, count: 2 } })
    const into = await read(pay)
    expect(into).toMatchObject({ pain_id: pay, merged_into: null, history: [{ failures: 2 }] })
    const { body: why } = await project.get<{ members: Member[] }>(`/v1/pains/${pay}/why`, key)
    expect(why.members).toMatchObject([{ pain_id: ship, merged_into: pay, merged_by: expect.any(String) }])
  })

  test('resolve chains, and part again one by one', async () => {
    const { pains, call, list, read } = await startPains('chain', [
      failing('a', 'pay'),
      failing('b', 'ship'),
      failing('c', 'pack'),
    ])
    const [pay, ship, pack] = pains
    await call(pay, 'merge', { into: ship })
    expect((await call(ship, 'merge', { into: pack })).body.merged_into).toBe(pack)
    expect((await read(pay)).merged_into).toBe(pack)
    expect((await list()).map(({ pain_id, count }) => [pain_id, count])).toEqual([[pack, 3]])
    expect((await call(ship, 'merge', { into: null })).body).toMatchObject({ merged_into: null, members: [{ pain_id: pay }] })
    expect((await list()).map(({ pain_id, count }) => [pain_id, count])).toEqual([
      [ship, 2],
      [pack, 1],
    ])
    await call(pay, 'merge', { into: null })
    expect(await list()).toHaveLength(3)
  })

  test('are muted together, and what waited of both is decided together', async () => {
    const { pains, call, key, diagnose } = await startPains('together', [failing('a', 'pay'), failing('b', 'ship')])
    const [pay, ship] = pains
    const { body } = await project.post<Observation>('/v1/observe', {}, key)
    await call(ship, 'merge', { into: pay })
    const again = await project.post<Observation>('/v1/observe', {}, key)
    expect([again.body.observation_id, again.body.new]).toMatchObject([body.observation_id, [{ pain_id: pay, count: 2 }]])
    const decisions = [{ pain_id: ship, next: 'skip' }]
    const decided = await project.post<object>('/v1/decide', { observation_id: body.observation_id, decisions }, key)
    expect(decided.body).toMatchObject({ decisions: [{ pain_id: pay, next: 'skip' }], undecided: 0 })
    await call(ship, 'mute', { reason: 'known' })
    expect((await diagnose()).issues).toEqual([])
  })

  test('follow a change that names either, and are judged by the failures of both', async () => {
    const { pains, call, key, diagnose } = await startPains('verified', [failing('a', 'pay'), failing('b', 'ship')])
    const [pay, ship] = pains
    await call(ship, 'merge', { into: pay })
    await project.post('/v1/changes', { kind: 'release', pain_ids: [ship], shipped_at: new Date(now()).toISOString() }, key)
    expect((await diagnose()).issues).toMatchObject([{ pain_id: pay, status: 'in_progress' }])
    const { body } = await project.post<{ pain_id: string; before: object }>('/v1/runs/verify', { pain_id: ship }, key)
    expect(body).toMatchObject({ pain_id: pay, before: { failures: 2, runs: 2 } })
  })

  test('are not fixed because one of them was', async () => {
    const { pains, call, key, projectNo, diagnose } = await startPains('half fixed', [...repeated('pay'), ...repeated('ship')])
    const [pay, ship] = pains
    const { body } = await project.post<{ change_id: string }>('/v1/changes', { kind: 'release', pain_ids: [pay] }, key)
    project.analyzer.control.sqlite
      .prepare(
        "insert into verdict (project_no, change_id, pain_id, at_ms, verdict, reason, body) values (?, ?, ?, ?, 'held', null, ?)",
      )
      .run(projectNo, body.change_id, pay, now() + 1, JSON.stringify({ change_percent: -90 }))
    const statusOf = async (painId: string) => (await diagnose()).issues.find(({ pain_id }) => pain_id === painId)?.status
    expect([await statusOf(pay), await statusOf(ship)]).toEqual(['verified', 'new'])
    await call(pay, 'merge', { into: ship })
    expect(await statusOf(ship)).toBe('in_progress')
    const observed = await project.post<{ memory: { fixed: object[] } }>('/v1/observe', { peek: true }, key)
    expect(observed.body.memory.fixed).toEqual([])
  })

  test('are refused in a circle, into themselves, and across projects, and every change is audited', async () => {
    const { pains, call, key, projectNo } = await startPains('refused', [failing('a', 'pay'), failing('b', 'ship')])
    const { pains: theirs } = await startPains('refused stranger', [failing('a', 'pay')])
    const [pay, ship] = pains
    await call(pay, 'merge', { into: ship })
    const refusals = await Promise.all([
      call(ship, 'merge', { into: pay }),
      call(pay, 'merge', { into: pay }),
      call(pay, 'merge', { into: theirs[0] }),
      call(theirs[0], 'merge', { into: pay }),
      call(pay, 'merge', {}),
      call(theirs[0], 'mute', { reason: 'x' }),
      call('pain_0', 'unmute'),
    ])
    expect(refusals.map(({ status, body }) => [status, (body as unknown as { code: string }).code])).toEqual([
      [409, 'merge_cycle'],
      [400, 'merge_into_itself'],
      [404, 'pain_not_found'],
      [404, 'pain_not_found'],
      [400, 'invalid_body'],
      [404, 'pain_not_found'],
      [404, 'pain_not_found'],
    ])
    const audited = project.analyzer.control.sqlite
      .prepare("select route, body from audit where project_no = ? and status = 200 and route like '/v1/pains/%'")
      .all(projectNo)
    expect(audited).toMatchObject([{ route: '/v1/pains/{id}/merge', body: JSON.stringify({ into: ship }) }])
    const { status } = await project.get('/v1/pains', key)
    expect(status).toBe(200)
  })
})

test('a list takes event times, and then reads all that arrived', async () => {
  const { projectNo, projectId, key } = await project.provision('event times')
  const at = (iso: string) => Date.parse(iso)
  const drafts = ['2026-06-01T10:00:00.250Z', '2026-06-02T10:00:00.250Z', '2026-06-03T10:00:00.250Z'].map((iso, i) => ({
    ...failing(`t${i}`, 'pay'),
    startMs: at(iso),
    durationMs: 0,
  }))
  project.telemetry.send(projectNo, now() - 40 * 86_400_000, drafts.slice(0, 2))
  project.telemetry.decide(projectNo, projectId, now() - 40 * 86_400_000)
  project.telemetry.send(projectNo, now() - 1000, drafts.slice(2))
  const count = async (query: string) =>
    (await project.get<Listed>(`/v1/pains?${query}`, key)).body.items.map((pain) => pain.count)
  expect(await count('')).toEqual([1])
  expect(await count('from=2026-06-01T00:00:00Z')).toEqual([3])
  expect(await count('from=2026-06-01T10:00:00.250Z&to=2026-06-02T10:00:00.250Z')).toEqual([1])
  expect(await count('from=2026-06-01T10:00:00.251Z&to=2026-06-02T10:00:00.251Z')).toEqual([1])
  expect(await count('to=2026-06-03T10:00:00.250Z')).toEqual([2])
  expect(await count('from=2026-06-04T00:00:00Z')).toEqual([])
  expect((await project.get('/v1/pains?from=2026-06-04T00:00:00Z&to=2026-06-01T00:00:00Z', key)).status).toBe(400)
})
