import { createHmac } from 'node:crypto'
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type AnswerBody, startTestAnalyzer, type TestAnalyzer } from '../../start/analyzer.fixture.ts'

const SECRET = 'the secret of recovery'
let analyzer: TestAnalyzer

beforeAll(async () => {
  analyzer = await startTestAnalyzer({ env: { LOOPKIT_RECOVERY_SECRET: SECRET, T4_ADMIN_TOKEN: 'admin' } })
})
afterAll(() => analyzer.end())

const signup = async () => (await analyzer.call('POST', '/v1/signup', { json: { project_name: 'lost' } })).body
const recover = (project_id: string, recovery_code: string) =>
  analyzer.call('POST', '/v1/recover', { json: { project_id, recovery_code } })
const hmac = (message: string) => createHmac('sha256', SECRET).update(message).digest('hex')
const dashboardKey = ({ dashboard_url }: AnswerBody) => new URL(dashboard_url).hash.slice('#key='.length)
/** Provisioning under another name tells a key that works (403, another project's) from one that does not (401). */
const statusOf = async (key: string) =>
  (await analyzer.call('POST', '/v1/provision', { key, json: { project_name: 'other' } })).status

describe('POST /v1/recover', () => {
  test('takes the HMAC of the project id, gives fresh keys and ends every old one at once', async () => {
    const old = await signup()
    expect(old.recovery_code).toBe(hmac(`recover:${old.project_id}`))
    const { status, body } = await recover(old.project_id, old.recovery_code)
    expect([status, body]).toEqual([
      200,
      { ...old, producer_key: expect.any(String), agent_key: expect.any(String), dashboard_url: expect.any(String) },
    ])
    for (const key of [old.producer_key, old.agent_key, dashboardKey(old)]) expect(await statusOf(key)).toBe(401)
    for (const key of [body.producer_key, body.agent_key, dashboardKey(body)]) expect(await statusOf(key)).toBe(403)
  })

  test('takes the same code again; of 20 at once one set of keys remains', async () => {
    const old = await signup()
    const answers = await Promise.all(Array.from({ length: 20 }, () => recover(old.project_id, old.recovery_code)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    const alive = await Promise.all(answers.map(({ body }) => statusOf(body.agent_key)))
    expect(alive.filter((status) => status === 403)).toHaveLength(1)
  })

  test('answers a wrong code, an unknown project and a deleted one alike, byte for byte', async () => {
    const [mine, deleted] = [await signup(), await signup()]
    await analyzer.call('DELETE', `/admin/projects/${deleted.project_id}`, { key: 'admin' })
    const answers = [
      await recover(mine.project_id, '0'.repeat(64)),
      await recover(mine.project_id, 'x'),
      await recover('nobody-00000000', '0'.repeat(64)),
      await recover('nobody-00000000', hmac('recover:nobody-00000000')),
      await recover(deleted.project_id, deleted.recovery_code),
    ]
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]).toMatchObject({ status: 401, body: { code: 'recovery_refused' } })
    const names = answers.map(({ headers }) => [...headers.keys()].join())
    expect(new Set(names).size).toBe(1)
  })

  test('takes as long for an unknown project as for a wrong code', async () => {
    const { project_id } = await signup()
    const timings: Record<string, number[]> = { [project_id]: [], 'nobody-00000000': [] }
    for (let round = 0; round < 150; round += 1) {
      for (const [id, times] of Object.entries(timings)) {
        const startedMs = performance.now()
        await recover(id, '0'.repeat(64))
        times.push(performance.now() - startedMs)
      }
    }
    const [known, unknown] = Object.values(timings).map((times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0)
    // A loose bound, for a busy machine: what it would catch is a write or a second look-up on one of the two ways.
    expect(Math.abs((known ?? 0) - (unknown ?? 0))).toBeLessThan(0.5 * Math.max(known ?? 0, unknown ?? 0))
  })

  test('refuses the old code after the epoch was bumped, and takes the new one', async () => {
    const old = await signup()
    const bumped = await analyzer.call('POST', `/admin/projects/${old.project_id}/recovery-epoch`, { key: 'admin' })
    expect(bumped.body).toEqual({
      project_id: old.project_id,
      recovery_epoch: 1,
      recovery_code: hmac(`recover:${old.project_id}:1`),
    })
    expect((await recover(old.project_id, old.recovery_code)).status).toBe(401)
    expect((await recover(old.project_id, bumped.body.recovery_code)).body.recovery_code).toBe(bumped.body.recovery_code)
  })
})

describe('without a configured secret', () => {
  test('one is generated for its owner only, and codes outlive a restart', async () => {
    const first = await startTestAnalyzer()
    const path = join(first.dataDir, 'secrets', 'recovery.key')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { body } = await first.call('POST', '/v1/signup')
    await first.stop()
    chmodSync(path, 0o644)
    const second = await startTestAnalyzer({ dataDir: first.dataDir })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { project_id, recovery_code } = body
    expect((await second.call('POST', '/v1/recover', { json: { project_id, recovery_code } })).status).toBe(200)
    expect(second.logged()).not.toContain(readFileSync(path, 'utf8').trim())
    await second.end()
    rmSync(first.dataDir, { recursive: true, force: true })
  })

  test('a file that holds none is not replaced: it would void every code in use', async () => {
    const first = await startTestAnalyzer()
    const path = join(first.dataDir, 'secrets', 'recovery.key')
    await first.stop()
    writeFileSync(path, '')
    await expect(startTestAnalyzer({ dataDir: first.dataDir })).rejects.toThrow('restore it from the backup')
    expect(readFileSync(path, 'utf8')).toBe('')
    rmSync(first.dataDir, { recursive: true, force: true })
  })
})
