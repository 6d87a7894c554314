import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type CallOptions, startTestAnalyzer, type TestAnalyzer } from '../../start/analyzer.fixture.ts'

let analyzer: TestAnalyzer
beforeAll(async () => {
  analyzer = await startTestAnalyzer({ env: { T4_ADMIN_TOKEN: 'the-admin-token' } })
})
afterAll(() => analyzer.end())

const admin = (method: string, path: string, options: CallOptions = {}) =>
  analyzer.call(method, `/admin/projects${path}`, { key: 'the-admin-token', ...options })
const signup = async () => (await analyzer.call('POST', '/v1/signup', { json: { project_name: 'administered' } })).body

describe('/admin/projects', () => {
  test('lists every project once, page by page', async () => {
    for (let count = 0; count < 3; count += 1) await signup()
    const whole = (await admin('GET', '')).body.items.map(({ project_id }) => project_id)
    const paged: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await admin('GET', `?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
      paged.push(...body.items.map(({ project_id }) => project_id))
      cursor = body.next_cursor
    }
    expect(paged).toEqual(whole)
    expect(new Set(whole).size).toBeGreaterThanOrEqual(4)
  })

  test('changes what is named and nothing else; null takes a bound away', async () => {
    const { project_id } = await signup()
    const before = (await admin('PATCH', `/${project_id}`, { json: { tenant_id: 'acme' } })).body
    const json = { quota_spans: 5, expires_at: null, retention_days: 30 }
    expect((await admin('PATCH', `/${project_id}`, { json })).body).toEqual({ ...before, ...json })
    expect((await admin('PATCH', `/${project_id}`, { json: { quota_spans: null } })).body).toEqual({
      ...before,
      ...json,
      quota_spans: null,
    })
  })

  test('an end in the past closes the project on the next request', async () => {
    const { project_id, agent_key } = await signup()
    await admin('PATCH', `/${project_id}`, { json: { expires_at: '2020-01-01T00:00:00+02:00' } })
    const { body } = await analyzer.call('POST', '/v1/provision', { key: agent_key, json: { project_name: 'administered' } })
    expect(body.code).toBe('sandbox_expired')
  })

  test('a deleted project is gone, and its keys are dead on the next request', async () => {
    const { project_id, agent_key } = await signup()
    expect((await admin('DELETE', `/${project_id}`)).body).toEqual({ status: 'deleted', project_id })
    const { body } = await analyzer.call('POST', '/v1/provision', { key: agent_key, json: { project_name: 'administered' } })
    expect(body.code).toBe('key_revoked')
    for (const [method, path] of [
      ['DELETE', `/${project_id}`],
      ['PATCH', `/${project_id}`],
      ['POST', `/${project_id}/recovery-epoch`],
    ] as const) {
      const json = method === 'PATCH' ? { json: { quota_spans: 1 } } : {}
      expect((await admin(method, path, json)).body.code).toBe('project_not_found')
    }
  })

  test.each([
    ['nothing', {}],
    ['a negative cap', { quota_spans: -1 }],
    ['half a span', { quota_spans: 1.5 }],
    ['a date without a time', { expires_at: '2026-01-01' }],
    ['a leap second', { expires_at: '2016-12-31T23:59:60Z' }],
    ['no retention at all', { retention_days: 0 }],
    ['a tenant with a slash', { tenant_id: 'a/b' }],
    ['a field of its own', { sandbox: false }],
  ])('refuses to set %s', async (_, json) => {
    const { project_id, expires_at } = await signup()
    expect((await admin('PATCH', `/${project_id}`, { json })).body.code).toBe('invalid_body')
    expect((await admin('PATCH', `/${project_id}`, { json: { retention_days: 1 } })).body.expires_at).toBe(expires_at)
  })

  test('refuses a wrong cursor, a wrong token and a project key', async () => {
    const { agent_key } = await signup()
    expect((await admin('GET', '?cursor=eHl6')).body.code).toBe('invalid_cursor')
    for (const key of ['wrong', agent_key, '']) expect((await admin('GET', '', { key })).status).toBe(401)
  })

  test('takes the token in the query with a Deprecation header, and keeps it out of log and audit', async () => {
    const { project_id } = await signup()
    const { status, headers } = await analyzer.call('DELETE', `/admin/projects/${project_id}?admin_token=the-admin-token`)
    expect([status, headers.has('deprecation')]).toEqual([200, true])
    expect(analyzer.verifyAudit().ok).toBe(true)
    expect(analyzer.logged()).not.toContain('the-admin-token')
    expect(analyzer.onDisk()).not.toContain('the-admin-token')
  })
})

test.each(['', 'CHANGE_ME_ADMIN_TOKEN'])('with the token %j there are no admin routes', async (token) => {
  const other = await startTestAnalyzer({ env: { T4_ADMIN_TOKEN: token } })
  for (const key of [token, 'x']) {
    const { status, body } = await other.call('GET', '/admin/projects', { key })
    expect([status, body.code]).toEqual([503, 'admin_disabled'])
  }
  await other.end()
})
