import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startTestAnalyzer, type TestAnalyzer } from '../../start/analyzer.fixture.ts'

let analyzer: TestAnalyzer
beforeEach(async () => {
  analyzer = await startTestAnalyzer({ env: { T4_ADMIN_TOKEN: 'the-admin-token', LOOPKIT_ONBOARDING_PER_MINUTE: '10' } })
})
afterEach(() => analyzer.end())

interface Row {
  method: string
  route: string
  status: number
  code: string | null
  count: number
  key_id: string | null
  project_no: number | null
  body: string | null
  address: string
  request_id: string
}
const rows = () => {
  analyzer.verifyAudit()
  return analyzer.control.sqlite.prepare('select * from audit order by seq').all() as Row[]
}
const signup = async () => (await analyzer.call('POST', '/v1/signup', { json: { project_name: 'audited' } })).body

describe('the audit', () => {
  test('has one row a change, with who, what and how it ended, and the chain holds', async () => {
    const { project_id, agent_key } = await signup()
    await analyzer.call('PATCH', `/admin/projects/${project_id}`, {
      key: 'the-admin-token',
      json: { quota_spans: 7 },
      headers: { 'x-request-id': 'by-admin' },
    })
    await analyzer.call('POST', '/v1/provision', { key: agent_key, json: { project_name: 'audited' } })
    expect(rows()).toMatchObject([
      { method: 'START', route: 'first-start', status: 201 },
      {
        method: 'POST',
        route: '/v1/signup',
        status: 201,
        project_no: 2,
        body: '{"project_name":"audited"}',
        address: '127.0.0.1',
      },
      { method: 'PATCH', route: '/admin/projects/{id}', status: 200, key_id: 'admin', project_no: 2, request_id: 'by-admin' },
      { method: 'POST', route: '/v1/provision', status: 200, key_id: expect.stringMatching(/^key_/), project_no: 2 },
    ])
    expect(analyzer.verifyAudit()).toEqual({ ok: true, rows: 4, firstBad: null })
  })

  test('has one row a refusal of a key, and one a minute, route and address without a right key', async () => {
    const { producer_key } = await signup()
    await analyzer.call('POST', '/v1/provision', { key: producer_key, json: { project_name: 'another' } })
    await analyzer.call('POST', '/v1/provision', { key: producer_key, json: {} })
    for (let tries = 0; tries < 5; tries += 1)
      await analyzer.call('POST', '/v1/recover', { json: { project_id: 'x', recovery_code: 'y' } })
    await analyzer.call('GET', '/admin/projects', { key: 'wrong' })
    analyzer.advance(60_000)
    await analyzer.call('GET', '/admin/projects', { key: 'wrong' })
    await analyzer.call('GET', '/nowhere', { key: 'wrong' })
    expect(rows().slice(2)).toMatchObject([
      { route: '/v1/provision', status: 403, code: 'project_of_another_key', count: 1, body: '{"project_name":"another"}' },
      { route: '/v1/provision', status: 400, code: 'invalid_body', count: 1, project_no: 2 },
      { route: '/v1/recover', status: 401, code: 'recovery_refused', count: 5, body: null, project_no: null },
      { route: '/admin/projects', status: 401, code: 'invalid_admin_token', count: 1 },
      { route: '/admin/projects', status: 401, code: 'invalid_admin_token', count: 1 },
    ])
    expect(analyzer.verifyAudit()).toMatchObject({ ok: true, rows: 7 })
  })

  test('that cannot be written fails the change it would record', async () => {
    analyzer.control.sqlite.exec("create trigger full before insert on audit begin select raise(abort, 'no more room'); end")
    const { status } = await analyzer.call('POST', '/v1/provision', { json: { project_name: 'unrecorded' } })
    expect(status).toBe(500)
    const count = analyzer.control.sqlite.prepare("select count(*) from project where project_name = 'unrecorded'").pluck().get()
    expect(count).toBe(0)
    analyzer.control.sqlite.exec('drop trigger full')
    expect((await analyzer.call('POST', '/v1/provision', { json: { project_name: 'unrecorded' } })).status).toBe(201)
  })

  test('shows that a row was changed behind its back', async () => {
    await signup()
    await signup()
    analyzer.control.sqlite.exec("update audit set address = '192.0.2.1' where seq = 2")
    expect(analyzer.verifyAudit()).toEqual({ ok: false, rows: 2, firstBad: 2 })
  })
})

test('no secret that was ever issued or presented is found on disk, in the log or in the audit', async () => {
  const issued = [await signup(), (await analyzer.call('POST', '/v1/provision', { json: { project_name: 'canary' } })).body]
  const [first] = issued as [(typeof issued)[number]]
  const { project_id, recovery_code, agent_key } = first
  issued.push((await analyzer.call('POST', '/v1/recover', { json: { project_id, recovery_code } })).body)
  // What people paste into the wrong place must not be kept either.
  await analyzer.call('POST', '/v1/provision', { json: { project_name: agent_key } })
  await analyzer.call('POST', '/v1/provision', { json: { project_name: 'x', operator: recovery_code } })
  await analyzer.call('POST', '/v1/provision', { json: { project_name: 'x', key: agent_key } })
  await analyzer.call('POST', '/v1/recover', { json: { project_id: recovery_code, recovery_code: agent_key } })
  await analyzer.call('GET', `/v1/recover?key=${agent_key}`, { key: agent_key })
  await analyzer.call('GET', `/${agent_key}`, { headers: { 'x-request-id': 'r', 'x-t4-api-key': agent_key } })
  analyzer.verifyAudit()
  const secrets = issued.flatMap(({ producer_key, agent_key: agent, recovery_code: code, dashboard_url }) => [
    producer_key,
    agent,
    code,
    dashboard_url.split('#key=')[1] as string,
  ])
  expect(new Set(secrets).size).toBe(11)
  const disk = analyzer.onDisk()
  const audit = JSON.stringify(rows())
  for (const secret of secrets) {
    expect(disk.includes(secret)).toBe(false)
    expect(analyzer.logged().includes(secret)).toBe(false)
    expect(audit.includes(secret)).toBe(false)
  }
})
