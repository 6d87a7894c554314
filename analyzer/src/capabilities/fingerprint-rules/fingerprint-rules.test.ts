import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { DiagnosisPacket } from '../../domain/packet/model.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

interface Rule {
  rule_id: string
  name: string | null
  match: object
  by: string[]
  pain_id: string | null
}
interface Counted {
  pain_id: string
  title: string
  count: number
  by: Record<string, string>
}
interface Effect {
  dry_run: true
  summary: string
  failures: number
  looked_at: number
  regrouped: number
  splits: { pain: Counted; into: Counted[] }[]
  merges: { into: Counted; pains: Counted[] }[]
}
interface Listed {
  items: { pain_id: string; title: string; count: number; session_count: number }[]
}
interface Why {
  steps: { step: string; value: string }[]
  rule_ids: string[]
  scheme_version: number
  members: { pain_id: string }[]
}

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const failing = (
  trace: string,
  name: string,
  attributes: Record<string, string> = {},
  more: Partial<SpanDraft> = {},
): SpanDraft => ({
  trace,
  span: `${trace}-${name}`,
  name,
  error: `${name} declined`,
  attributes,
  ...more,
})
const ofTenants = (name: string, tenants: readonly string[], prefix = 'a') =>
  tenants.map((tenant, i) => failing(`${prefix}${i}`, name, { 'tenant.id': tenant }))

async function start(title: string) {
  const owner = await project.provision(title)
  const { projectNo, key } = owner
  const send = (drafts: readonly SpanDraft[], { decided = true } = {}) => {
    project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, drafts)
    if (decided) project.decideByRules(owner)
  }
  const list = async () => (await project.get<Listed>('/v1/pains', key)).body.items
  const counts = async () => (await list()).map(({ count }) => count)
  const rules = async () => (await project.get<{ items: Rule[] }>('/v1/fingerprint-rules', key)).body.items
  const add = <Body = Rule>(body: object, query = '') => project.post<Body>(`/v1/fingerprint-rules${query}`, body, key)
  const remove = (path: string) => project.analyzer.call('DELETE', `/v1/fingerprint-rules${path}`, { key })
  const split = (painId: string, attribute: string | null) =>
    project.post<{ pain_id: string; rule: Rule | null }>(`/v1/pains/${painId}/split`, { attribute }, key)
  const why = async (painId: string) => (await project.get<Why>(`/v1/pains/${painId}/why`, key)).body
  return { ...owner, send, list, counts, rules, add, remove, split, why }
}

const byTenant = { match: { operation: 'pay' }, by: ['tenant.id'], name: 'per tenant' }

describe('a rule', () => {
  test.each(['decided', 'undecided'])(
    'groups what comes after it, leaves what was decided, and why names it, %s',
    async (state) => {
      const { send, list, add, why, counts } = await start(`rule ${state}`)
      send(ofTenants('pay', ['x', 'x', 'y']))
      const [before] = await list()
      const { body: rule } = await add(byTenant)
      expect(rule).toMatchObject({ rule_id: expect.any(String), name: 'per tenant', by: ['tenant.id'], pain_id: null })
      send(ofTenants('pay', ['x', 'x', 'y'], 'b'), { decided: state === 'decided' })
      expect(await counts()).toEqual([3, 2, 1])
      const pains = await list()
      expect(pains[0]).toEqual(before)
      expect(pains.map(({ title }) => /tenant\.id=(\w)/.exec(title)?.[1])).toEqual([undefined, 'x', 'y'])
      const { steps, rule_ids, scheme_version } = await why(pains[1]!.pain_id)
      expect([rule_ids, scheme_version]).toEqual([[rule.rule_id], 1])
      expect(steps.map(({ step }) => step)).toEqual([
        'text as sent',
        'scheme',
        'rule',
        'signal',
        'by tenant.id',
        'parent key',
        'key',
      ])
    },
  )

  test('makes one pain of several where it names no value', async () => {
    const { send, list, add } = await start('rule of all')
    await add({ match: { message_contains: 'declined' }, by: [] })
    send([failing('a', 'pay'), failing('b', 'ship'), failing('c', 'pack', {}, { error: 'no stock' })])
    expect((await list()).map(({ count }) => count)).toEqual([2, 1])
  })

  test('yields to a record’s own fingerprint', async () => {
    const { send, counts, add } = await start('own fingerprint')
    await add({ match: { service: 'shop' }, by: ['tenant.id'] })
    send(['x', 'y'].map((tenant) => failing(tenant, 'pay', { 'tenant.id': tenant, 'loopkit.fingerprint': 'mine' })))
    expect(await counts()).toEqual([2])
  })

  test('reads resource attributes', async () => {
    const { send, counts, add } = await start('resource')
    await add({ match: { operation: 'pay' }, by: ['cloud.region'] })
    send(['eu', 'us', 'eu'].map((region, i) => failing(`a${i}`, 'pay', {}, { resource: { 'cloud.region': region } })))
    expect(await counts()).toEqual([2, 1])
  })

  test('is listed, is the same when it is made again, and is gone when it is removed', async () => {
    const { send, counts, add, rules, remove, projectNo } = await start('listed')
    const { body: rule } = await add(byTenant)
    expect((await add({ ...byTenant, name: 'again' })).body).toEqual(rule)
    expect(await rules()).toEqual([rule])
    expect(await remove(`?rule_id=${rule.rule_id}&dry_run=true`)).toMatchObject({ status: 200, body: { dry_run: true } })
    expect(await rules()).toHaveLength(1)
    expect(await remove(`?rule_id=${rule.rule_id}`)).toMatchObject({ status: 200, body: { removed: true } })
    expect(await rules()).toEqual([])
    expect(await remove(`/${rule.rule_id}`)).toMatchObject({ status: 404, body: { code: 'rule_not_found' } })
    expect(await remove('')).toMatchObject({ status: 400, body: { code: 'rule_not_named' } })
    send(ofTenants('pay', ['x', 'y']))
    expect(await counts()).toEqual([2])
    const audited = project.analyzer.control.sqlite
      .prepare("select method from audit where project_no = ? and status = 200 and route = '/v1/fingerprint-rules' order by seq")
      .pluck()
    expect(audited.all(projectNo)).toEqual(['POST', 'DELETE'])
  })

  test.each(['a rule', 'a split'])('%s that moves failures is never taken for a fix', async (what) => {
    const { send, list, add, split, key } = await start(`no fix ${what}`)
    send(ofTenants('pay', ['x', 'x', 'y']))
    const pay = (await list())[0]!.pain_id
    const shipped_at = new Date(project.analyzer.nowMs()).toISOString()
    await project.post('/v1/changes', { kind: 'release', pain_ids: [pay], shipped_at }, key)
    interface Said {
      reason: string
      detail: string | null
      before: { failures: number }
    }
    const verify = async () => (await project.post<Said>('/v1/runs/verify', { pain_id: pay }, key)).body
    expect((await verify()).reason).not.toBe('inconclusive')
    await (what === 'a rule' ? add(byTenant) : split(pay, 'tenant.id'))
    send(ofTenants('pay', ['x', 'x', 'y'], 'b'))
    const said = await verify()
    // What a rule moves cannot be followed; of a split pain the parts are counted as the whole that the plan names.
    if (what === 'a rule') expect(said).toMatchObject({ reason: 'inconclusive', detail: expect.stringContaining('rules') })
    else expect(said).toMatchObject({ reason: 'no_data', before: { failures: 6 } })
  })

  test('of another project is unknown', async () => {
    const { add } = await start('rule owner')
    const { body: rule } = await add(byTenant)
    const { rules, remove } = await start('rule stranger')
    expect([await rules(), (await remove(`?rule_id=${rule.rule_id}`)).status]).toEqual([[], 404])
  })

  test.each([
    ['that matches everything', { match: {}, by: [] }],
    ['without by', { match: { service: 'x' } }],
    ['of an unknown signal', { match: { signal_type: 'sorrow' }, by: [] }],
    ['of an unknown condition', { match: { service: 'x', color: 'red' }, by: [] }],
    ['by the same twice', { match: { service: 'x' }, by: ['a', 'a'] }],
    ['by too much', { match: { service: 'x' }, by: [...'abcdefghi'] }],
    ['by nothing named', { match: { service: 'x' }, by: [''] }],
  ])('%s is refused', async (what, body) => {
    const { add } = await start(`bad rule ${what}`)
    const answer = await add<{ code: string }>(body)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_body'])
  })

  test('is refused when a project has a hundred', async () => {
    const { add, rules } = await start('many rules')
    for (let i = 0; i < 100; i++) await add({ match: { service: `s${i}` }, by: [] })
    const answer = await add<{ code: string }>({ match: { service: 'one more' }, by: [] })
    expect([answer.status, answer.body.code, (await rules()).length]).toEqual([409, 'too_many_rules', 100])
  })
})

describe('a dry run', () => {
  const dry = '?dry_run=true'

  test.each(['decided', 'undecided'])('says what would be split, and changes nothing, %s', async (state) => {
    const { send, list, add, rules } = await start(`dry ${state}`)
    send([...ofTenants('pay', ['x', 'x', 'y', 'z']), failing('s', 'ship')], { decided: state === 'decided' })
    const before = await list()
    const { body } = await add<Effect>(byTenant, dry)
    expect(body).toMatchObject({ dry_run: true, summary: 'would split 1 pain into 3', failures: 5, looked_at: 5, regrouped: 4 })
    const [first] = body.splits
    expect(first!.pain).toMatchObject({ pain_id: before[0]!.pain_id, title: before[0]!.title, count: 4 })
    expect(first!.into.map(({ count, by }) => [count, by['tenant.id']])).toEqual(
      expect.arrayContaining([
        [2, 'x'],
        [1, 'y'],
        [1, 'z'],
      ]),
    )
    expect([await rules(), await list()]).toEqual([[], before])
    await add(byTenant)
    send(ofTenants('pay', ['x'], 'later'))
    expect((await list()).map(({ pain_id }) => pain_id)).toContain(first!.into.find(({ by }) => by['tenant.id'] === 'x')!.pain_id)
  })

  test('says what would be merged', async () => {
    const { send, add } = await start('dry merge')
    send([failing('a', 'pay'), failing('b', 'ship'), failing('c', 'ship'), failing('d', 'pack', {}, { error: 'lost' })])
    const { body } = await add<Effect>({ match: { message_contains: 'declined' }, by: [] }, dry)
    expect(body).toMatchObject({ summary: 'would merge 2 pains into 1', looked_at: 4, regrouped: 3 })
    expect(body.merges).toMatchObject([{ into: { count: 3 }, pains: [{ count: 2 }, { count: 1 }] }])
  })

  test('sees merged pains as one', async () => {
    const { send, list, add, key } = await start('dry merged')
    send([failing('a', 'pay'), failing('b', 'ship')])
    const [one, other] = await list()
    await project.post(`/v1/pains/${one!.pain_id}/merge`, { into: other!.pain_id }, key)
    expect((await add<Effect>({ match: { service: 'shop' }, by: ['operation'] }, dry)).body.summary).toBe(
      'would split 1 pain into 2',
    )
  })

  test('of a project without failures changes nothing', async () => {
    const { add } = await start('dry empty')
    expect((await add<Effect>(byTenant, dry)).body).toMatchObject({ summary: 'would change no pain', failures: 0, looked_at: 0 })
  })
})

describe('a split pain', () => {
  test('tells old and new failures apart, leaves those without the attribute, and its parts can be read', async () => {
    const { send, list, split, counts, why, key } = await start('split')
    send([...ofTenants('pay', ['x', 'x', 'y']), failing('none', 'pay'), failing('s', 'ship')])
    const pay = (await list())[0]!
    expect((await split(pay.pain_id, 'tenant.id')).body).toMatchObject({ pain_id: pay.pain_id, rule: { by: ['tenant.id'] } })
    expect(await counts()).toEqual([2, 1, 1, 1])
    send([...ofTenants('pay', ['x', 'y', 'z'], 'b'), failing('none2', 'pay')])
    const pains = await list()
    expect(pains.map(({ count }) => count).sort()).toEqual([1, 1, 2, 2, 3])
    const part = pains.find(({ title }) => title.includes('tenant.id=x'))!
    expect(part).toMatchObject({ count: 3, session_count: 3 })
    expect(pains.find(({ pain_id }) => pain_id === pay.pain_id)).toMatchObject({ count: 2, session_count: 2 })
    const { body: shown } = await project.get<{ issue: { count: number; evidence_ids: string[] } }>(
      `/v1/pains/${part.pain_id}`,
      key,
    )
    expect([shown.issue.count, new Set(shown.issue.evidence_ids).size]).toEqual([3, 3])
    expect((await why(part.pain_id)).steps.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['split', 'by tenant.id', 'key']),
    )
    const packet = (await project.post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', {}, key)).body.packet
    const evidence = packet.issues.flatMap(({ evidence_ids }) => evidence_ids)
    expect([packet.failures, new Set(evidence).size]).toEqual([9, 9])
  })

  test('is whole again when the split is undone, with what was decided meanwhile', async () => {
    const { send, list, split, rules, remove } = await start('unsplit')
    send(ofTenants('pay', ['x', 'y']))
    const [pay] = await list()
    const { body } = await split(pay!.pain_id, 'tenant.id')
    send(ofTenants('pay', ['x', 'z'], 'b'))
    expect(await list()).toHaveLength(3)
    expect((await split(pay!.pain_id, null)).body.rule).toBeNull()
    expect(await list()).toMatchObject([{ pain_id: pay!.pain_id, count: 4 }])
    await split(pay!.pain_id, 'tenant.id')
    expect(await list()).toHaveLength(3)
    expect(await rules()).toHaveLength(1)
    expect((await remove(`?rule_id=${body.rule!.rule_id}`)).status).toBe(200)
    expect(await list()).toMatchObject([{ pain_id: pay!.pain_id, count: 4 }])
  })

  test('splits what was merged into it too, and its parts split again', async () => {
    const { send, list, split, counts, key } = await start('split merged')
    const deep = (trace: string, name: string, tenant: string, region: string) =>
      failing(trace, name, { 'tenant.id': tenant, region })
    send([deep('a', 'pay', 'x', 'eu'), deep('b', 'ship', 'x', 'us'), deep('c', 'ship', 'y', 'us')])
    const [ship, pay] = await list()
    await project.post(`/v1/pains/${pay!.pain_id}/merge`, { into: ship!.pain_id }, key)
    await split(ship!.pain_id, 'tenant.id')
    expect(await counts()).toEqual([2, 1])
    const part = (await list())[0]!
    expect((await split(part.pain_id, 'region')).status).toBe(200)
    expect(await counts()).toEqual([1, 1, 1])
    send([deep('d', 'pay', 'x', 'eu')])
    expect(await counts()).toEqual([2, 1, 1])
  })

  test('is refused by a second attribute, for another project, and without one', async () => {
    const { send, list, split } = await start('split refused')
    send(ofTenants('pay', ['x']))
    const [pay] = await list()
    await split(pay!.pain_id, 'tenant.id')
    const { split: theirs } = await start('split stranger')
    const refusals = [await split(pay!.pain_id, 'region'), await theirs(pay!.pain_id, 'region'), await split(pay!.pain_id, '')]
    expect(refusals.map(({ status, body }) => [status, (body as unknown as { code: string }).code])).toEqual([
      [409, 'pain_already_split'],
      [404, 'pain_not_found'],
      [400, 'invalid_body'],
    ])
    expect((await split(pay!.pain_id, 'tenant.id')).status).toBe(200)
  })
})
