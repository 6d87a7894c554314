import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isKeyShaped } from '../../domain/key.ts'
import { sha256 } from '../../http/auth.ts'
import { startTestAnalyzer, type TestAnalyzer } from '../../start/analyzer.fixture.ts'

const UPGRADE_SECRET = 'the secret of upgrades'
const DAY_MS = 86_400_000
let analyzer: TestAnalyzer

beforeAll(async () => {
  analyzer = await startTestAnalyzer({ env: { SIGNUP_UPGRADE_SECRET: UPGRADE_SECRET, LOOPKIT_OTLP_HTTP_PORT: '4999' } })
})
afterAll(() => analyzer.end())

const provision = (name: string, key?: string, more: object = {}) =>
  analyzer.call('POST', '/v1/provision', { json: { project_name: name, ...more }, ...(key && { key }) })
const signup = async (name?: string) =>
  (await analyzer.call('POST', '/v1/signup', { json: name === undefined ? {} : { project_name: name } })).body
const codeOf = (projectId: string) =>
  createHmac('sha256', UPGRADE_SECRET).update(`signup-upgrade:sandbox:${projectId}`).digest('hex')
const upgrade = (key: string, json: object) => analyzer.call('POST', '/v1/signup/upgrade', { key, json })

describe('POST /v1/provision', () => {
  test('mints a permanent project: 201, keys shown once, no cap and no end', async () => {
    const { status, body } = await provision('My Shop!')
    expect(status).toBe(201)
    expect(body).toEqual({
      producer_key: expect.stringMatching(/^lk_ingest_/),
      agent_key: expect.stringMatching(/^lk_agent_/),
      project_id: expect.stringMatching(/^my-shop-[0-9a-f]{8}$/),
      quota_spans: null,
      expires_at: null,
      ingest_url: 'http://127.0.0.1:4999/v1/traces',
      diagnose_url: `${analyzer.url}/v1/runs/diagnose`,
      recovery_code: expect.stringMatching(/^[0-9a-f]{64}$/),
      dashboard_url: expect.stringMatching(new RegExp(`^${analyzer.url}/dashboard#key=lk_dashboard_`)),
      resumed: false,
      graduated: true,
    })
    expect(isKeyShaped(body.producer_key) && isKeyShaped(body.agent_key)).toBe(true)
  })

  test('gives keys to exactly one of 50 simultaneous callers of one name', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => provision('race')))
    const minted = answers.filter(({ status }) => status === 201)
    const refused = answers.filter(({ status, body }) => status === 401 && body.code === 'project_exists')
    expect([minted.length, refused.length]).toEqual([1, 49])
    expect(refused.some(({ text }) => text.includes('lk_'))).toBe(false)
    const projects = analyzer.control.sqlite.prepare("select count(*) from project where project_name = 'race'").pluck().get()
    expect(projects).toBe(1)
  })

  test('resumes with either key of the project, and returns and rotates nothing', async () => {
    const { body: minted } = await provision('resume')
    for (const key of [minted.producer_key, minted.agent_key, minted.agent_key]) {
      const { status, body } = await provision('resume', key)
      expect(status).toBe(200)
      expect(body).toEqual({
        project_id: minted.project_id,
        quota_spans: null,
        expires_at: null,
        ingest_url: minted.ingest_url,
        diagnose_url: minted.diagnose_url,
        resumed: true,
        graduated: true,
      })
    }
  })

  test('keeps names apart by operator, and takes look-alike spellings as one', async () => {
    const one = await provision('team app', undefined, { operator: 'red' })
    const other = await provision('team app', undefined, { operator: 'blue' })
    expect([one.status, other.status]).toEqual([201, 201])
    expect(one.body.project_id).not.toBe(other.body.project_id)
    expect((await provision(' team  app', undefined, { operator: 'red' })).status).toBe(401)
  })

  test("refuses a wrong key, another project's key and a dashboard link", async () => {
    const { body: mine } = await provision('mine')
    const { body: theirs } = await provision('theirs')
    const refusal = async (name: string, key: string) => {
      const { status, body } = await provision(name, key)
      return [status, body.code]
    }
    expect(await refusal('mine', 'lk_agent_wrong')).toEqual([401, 'invalid_key'])
    expect(await refusal('mine', theirs.agent_key)).toEqual([403, 'project_of_another_key'])
    expect(await refusal('not yet there', theirs.agent_key)).toEqual([403, 'project_of_another_key'])
    expect(await refusal('mine', new URL(mine.dashboard_url).hash.slice('#key='.length))).toEqual([403, 'insufficient_scope'])
  })

  test('graduates a sandbox in place with its own key: same id, same keys, no end', async () => {
    const sandbox = await signup('growing')
    const { status, body } = await provision('growing', sandbox.producer_key)
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        project_id: sandbox.project_id,
        resumed: true,
        graduated: true,
        quota_spans: null,
        expires_at: null,
      }),
    ])
    expect((await provision('growing')).status).toBe(401)
    expect((await provision('growing', sandbox.agent_key)).status).toBe(200)
  })

  test.each([
    ['no name', {}],
    ['an empty name', { project_name: '' }],
    ['a blank name', { project_name: '   ' }],
    ['a name with a line break', { project_name: 'a\nb' }],
    ['a name with a direction override', { project_name: 'a\u202eb' }],
    ['a name of 101 characters', { project_name: 'x'.repeat(101) }],
    ['a name that is no text', { project_name: 7 }],
    ['a field that is not its own', { project_name: 'x', tenant_id: 'other' }],
  ])('refuses %s with the place that is wrong', async (_, json) => {
    const { status, body } = await analyzer.call('POST', '/v1/provision', { json })
    expect([status, body.code, body.errors.length > 0]).toEqual([400, 'invalid_body', true])
  })
})

describe('POST /v1/signup', () => {
  test('makes a fresh sandbox each time: capped, and it ends', async () => {
    const [one, other] = [await signup('twice'), await signup('twice')]
    expect(one.project_id).not.toBe(other.project_id)
    expect(one.quota_spans).toBe(100_000)
    expect(Math.abs(Date.parse(one.expires_at) - (analyzer.nowMs() + 14 * DAY_MS))).toBeLessThan(60_000)
    expect(await signup()).toMatchObject({ project_id: expect.stringMatching(/^sandbox-[0-9a-f]{8}$/) })
    expect((await analyzer.call('POST', '/v1/signup')).status).toBe(201)
  })
})

describe('POST /v1/signup/upgrade', () => {
  test('makes a sandbox permanent and keeps its cap; again it changes nothing', async () => {
    const sandbox = await signup('upgraded')
    for (const code of [codeOf(sandbox.project_id), codeOf(sandbox.project_id).toUpperCase()]) {
      const { status, body } = await upgrade(sandbox.agent_key, { code })
      expect([status, body]).toEqual([200, { project_id: sandbox.project_id, graduated: true, quota_spans: 100_000 }])
    }
    expect((await provision('upgraded', sandbox.agent_key)).body).toMatchObject({ expires_at: null, quota_spans: 100_000 })
  })

  test('keeps names unique: a second sandbox of that name is named after its id', async () => {
    const [one, other] = [await signup('same name'), await signup('same name')]
    for (const { agent_key, project_id } of [one, other]) {
      expect((await upgrade(agent_key, { code: codeOf(project_id) })).status).toBe(200)
    }
    expect((await provision(other.project_id, other.agent_key)).body).toMatchObject({ resumed: true })
  })

  test('refuses every altered code, and the code of another project', async () => {
    const [one, other] = [await signup(), await signup()]
    const code = codeOf(one.project_id)
    for (const wrong of [
      code.slice(1),
      `${code}0`,
      code.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      codeOf(other.project_id),
      'x',
    ]) {
      const { status, body } = await upgrade(one.agent_key, { code: wrong })
      expect([status, body.code]).toEqual([403, 'invalid_upgrade_code'])
    }
  })

  test('refuses the producer key, an unknown key and none', async () => {
    const { producer_key, project_id } = await signup()
    const code = codeOf(project_id)
    expect((await upgrade(producer_key, { code })).body.code).toBe('insufficient_scope')
    expect((await upgrade('lk_agent_unknown', { code })).body.code).toBe('invalid_key')
    expect((await analyzer.call('POST', '/v1/signup/upgrade', { json: { code } })).body.code).toBe('missing_key')
  })

  test('takes the keys of a project that has no key rows, once, with its code', async () => {
    const old = await signup('older data')
    const keys = { producer_key: old.producer_key, agent_key: old.agent_key }
    const { project_no } = analyzer.control.sqlite
      .prepare('select project_no from project where project_id = ?')
      .get(old.project_id) as { project_no: number }
    analyzer.control.sqlite.prepare('delete from api_key where project_no = ?').run(project_no)
    const code = codeOf(old.project_id)
    expect((await upgrade(old.agent_key, { code })).status).toBe(401)
    expect((await upgrade(old.agent_key, { code: 'wrong', ...keys })).status).toBe(401)
    expect((await upgrade('x'.repeat(40), { code, ...keys })).status).toBe(401)
    expect((await analyzer.call('POST', '/v1/signup/upgrade', { json: { code, producer_key: old.producer_key } })).status).toBe(
      401,
    )
    expect((await upgrade(old.agent_key, { code, ...keys })).body).toMatchObject({ project_id: old.project_id, graduated: true })
    expect((await provision('older data', old.producer_key)).body).toMatchObject({ resumed: true })
    const stranger = { producer_key: 'p'.repeat(40), agent_key: 'a'.repeat(40) }
    expect((await upgrade(stranger.agent_key, { code, ...stranger })).status).toBe(401)
    const rows = analyzer.control.sqlite.prepare('select key_hash from api_key where project_no = ?').pluck().all(project_no)
    expect(rows).toEqual(expect.arrayContaining([sha256(old.producer_key), sha256(old.agent_key)]))
  })

  test('takes the agent key of older data from the body alone', async () => {
    const old = await signup('older still')
    analyzer.control.sqlite
      .prepare('delete from api_key where project_no = (select project_no from project where project_id = ?)')
      .run(old.project_id)
    const keys = { producer_key: old.producer_key, agent_key: old.agent_key }
    const { status } = await analyzer.call('POST', '/v1/signup/upgrade', { json: { code: codeOf(old.project_id), ...keys } })
    expect(status).toBe(200)
  })
})

describe('a sandbox that has ended', () => {
  test('is a 403 of its own everywhere but on recover and upgrade', async () => {
    const sandbox = await signup('ends')
    analyzer.control.sqlite
      .prepare('update project set expires_at_ms = ? where project_id = ?')
      .run(analyzer.nowMs(), sandbox.project_id)
    const refused = await provision('ends', sandbox.agent_key)
    expect([refused.status, refused.body.code]).toEqual([403, 'sandbox_expired'])
    const recovered = await analyzer.call('POST', '/v1/recover', {
      json: { project_id: sandbox.project_id, recovery_code: sandbox.recovery_code },
    })
    expect(recovered.status).toBe(200)
    expect((await upgrade(recovered.body.agent_key, { code: codeOf(sandbox.project_id) })).status).toBe(200)
    expect((await provision('ends', recovered.body.agent_key)).status).toBe(200)
  })
})

describe('an instance', () => {
  test('without an upgrade secret upgrades nothing', async () => {
    const other = await startTestAnalyzer()
    const { status, body } = await other.call('POST', '/v1/signup/upgrade', { key: 'x', json: { code: '0'.repeat(64) } })
    expect([status, body.code]).toEqual([503, 'upgrade_disabled'])
    await other.end()
  })

  test('with self-serve off, or full, makes no project without a key', async () => {
    for (const [env, code] of [
      [{ LOOPKIT_SELF_SERVE: 'off' }, 'self_serve_off'],
      [{ LOOPKIT_SELF_SERVE_PROJECTS_MAX: '1' }, 'project_limit_reached'],
    ] as const) {
      const other = await startTestAnalyzer({ env })
      for (const path of ['/v1/provision', '/v1/signup']) {
        const { status, body } = await other.call('POST', path, { json: { project_name: 'x' } })
        expect([status, body.code]).toEqual([403, code])
      }
      await other.end()
    }
  })

  test('refuses the call over the limit with Retry-After, for provision, signup and recover together', async () => {
    const other = await startTestAnalyzer({ env: { LOOPKIT_ONBOARDING_PER_MINUTE: '3' } })
    const answers = [
      await other.call('POST', '/v1/provision', { json: { project_name: 'x' } }),
      await other.call('POST', '/v1/signup'),
      await other.call('POST', '/v1/recover', { json: { project_id: 'x', recovery_code: 'y' } }),
      await other.call('POST', '/v1/signup'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 401, 429])
    const refused = answers[3] as (typeof answers)[number]
    expect(refused.body.code).toBe('rate_limited')
    expect(refused.headers.get('ratelimit-policy')).toBe('"onboarding";q=3;w=60')
    other.advance(Number(refused.headers.get('retry-after')) * 1000)
    expect((await other.call('POST', '/v1/signup')).status).toBe(201)
    await other.end()
  })
})
