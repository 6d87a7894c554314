import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SettingsError } from '@loopkit/config/read-settings'
import { SchemaNewerError } from '@loopkit/shared/database/migrate'
import { openDatabase } from '@loopkit/shared/database/open'
import { createAddresses, findCollector } from './addresses.ts'
import { startTestAnalyzer, type TestAnalyzer } from './analyzer.fixture.ts'
import { explainExit } from './explain-exit.ts'

let dataDir: string
const started: TestAnalyzer[] = []
const start = async (options: Parameters<typeof startTestAnalyzer>[0] = {}) => {
  const analyzer = await startTestAnalyzer({ dataDir, ...options })
  started.push(analyzer)
  return analyzer
}
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'loopkit-start-'))
})
afterEach(async () => {
  for (const analyzer of started.splice(0)) await analyzer.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

describe('the first start', () => {
  test('without a terminal puts what is shown once into a file for its owner, and the log names the file only', async () => {
    const analyzer = await start()
    const path = join(dataDir, 'first-run.txt')
    const text = readFileSync(path, 'utf8')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(analyzer.logged()).toContain(path)
    expect(analyzer.logged()).not.toContain('lk_')
    for (const part of [
      /lk_ingest_\w{49}/,
      /lk_agent_\w{49}/,
      /recovery code +[0-9a-f]{64}/,
      /export OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:4318\n/,
      /export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20lk_ingest_/,
      /export OTEL_EXPORTER_OTLP_PROTOCOL=http\/protobuf/,
      /\/dashboard#key=lk_dashboard_/,
      /curl .*\/v1\/runs\/diagnose/,
    ]) {
      expect(text).toMatch(part)
    }
    const key = /lk_agent_\w+/.exec(text)?.[0] as string
    const { status } = await analyzer.call('POST', '/v1/provision', { key, json: { project_name: 'default' } })
    expect(status).toBe(200)
  })

  test('on a terminal shows it there and writes no file; a second start shows nothing', async () => {
    let shown = ''
    const showOnTerminal = (text: string) => {
      shown += text
    }
    const first = await start({ showOnTerminal })
    expect(shown).toContain('lk_agent_')
    expect(existsSync(join(dataDir, 'first-run.txt'))).toBe(false)
    await first.stop()
    shown = ''
    await start({ showOnTerminal })
    expect(shown).toBe('')
  })

  test('of two analyzers over one folder makes one project', async () => {
    await Promise.all([start(), start()])
    const db = openDatabase(join(dataDir, 'control.db'), { role: 'reader' })
    expect(db.prepare('select count(*) from project').pluck().get()).toBe(1)
    db.close()
  })
})

describe('a running analyzer', () => {
  test('says its process and port, and takes that back when it stops', async () => {
    const analyzer = await start()
    expect(readFileSync(join(dataDir, 'run', 'analyzer.pid'), 'utf8').trim()).toBe(String(process.pid))
    expect(JSON.parse(readFileSync(join(dataDir, 'run', 'analyzer.json'), 'utf8'))).toMatchObject({ analyzerPort: analyzer.port })
    await analyzer.stop()
    expect(existsSync(join(dataDir, 'run', 'analyzer.pid'))).toBe(false)
  })

  test('is alive and ready without telemetry, and not ready over telemetry of a newer version', async () => {
    const analyzer = await start()
    expect((await analyzer.call('GET', '/health')).body).toMatchObject({
      status: 'ok',
      version: '0.0.0',
      checks: { control: 'ok' },
    })
    expect((await analyzer.call('GET', '/readyz')).status).toBe(200)
    const telemetry = openDatabase(join(dataDir, 'telemetry.db'), { role: 'writer' })
    telemetry.exec('create table schema_migration (number integer primary key, name text not null) strict')
    for (let step = 1; step < 100; step += 1) telemetry.prepare('insert into schema_migration values (?, ?)').run(step, 'later')
    telemetry.close()
    const { status, body } = await analyzer.call('GET', '/readyz')
    expect([status, body.code, body.detail]).toEqual([503, 'not_ready', 'telemetry: newer'])
    expect((await analyzer.call('GET', '/health')).status).toBe(200)
  })

  test('counts requests by route template', async () => {
    const analyzer = await start()
    await analyzer.call('POST', '/v1/provision', { json: {} })
    const { text } = await analyzer.call('GET', '/metrics')
    expect(text).toMatch(/http_server_request_duration_seconds_count\{[^}]*http_route="\/v1\/provision"[^}]*="400"\} 1/)
  })

  test('lets a key that was revoked in one process be dead in the other on its next request', async () => {
    const [one, other] = [await start(), await start()]
    const { body } = await one.call('POST', '/v1/signup', { json: { project_name: 'shared' } })
    const resume = () => other.call('POST', '/v1/provision', { key: body.agent_key, json: { project_name: 'another' } })
    expect((await resume()).status).toBe(403)
    const { project_id, recovery_code } = body
    await one.call('POST', '/v1/recover', { json: { project_id, recovery_code } })
    expect((await resume()).status).toBe(401)
  })

  test('keeps when a key was last used', async () => {
    const analyzer = await start()
    const { body } = await analyzer.call('POST', '/v1/signup')
    const use = () => analyzer.call('POST', '/v1/provision', { key: body.agent_key, json: { project_name: 'x' } })
    const lastUsed = () =>
      analyzer.control.sqlite.prepare('select max(last_used_at_ms) from api_key').pluck().get() as number | null
    expect(lastUsed()).toBeNull()
    await use()
    const first = lastUsed() as number
    analyzer.advance(1_000)
    await use()
    expect(lastUsed()).toBe(first)
    analyzer.advance(60_000)
    await use()
    expect(lastUsed()).toBeGreaterThan(first)
  })
})

describe('a start that cannot be', () => {
  const codeOf = async (starting: Promise<unknown>) => {
    const error = await starting.then(
      () => null,
      (thrown: unknown) => thrown,
    )
    return explainExit(error, { dataDir }).code
  }

  test('on a taken port leaves nothing open and ends with 75', async () => {
    const { port } = await start()
    expect(await codeOf(start({ env: { LOOPKIT_ANALYZER_PORT: String(port) } }))).toBe(75)
  })

  test('over a newer control.db ends with 78 and leaves the file as it is', async () => {
    const control = openDatabase(join(dataDir, 'control.db'), { role: 'writer' })
    control.exec('create table schema_migration (number integer primary key, name text not null) strict')
    control.prepare('insert into schema_migration values (1, ?)').run('from tomorrow')
    control.close()
    expect(await codeOf(start())).toBe(78)
  })

  test('over a file that is no database ends with 74 and leaves it as it is', async () => {
    const path = join(dataDir, 'control.db')
    writeFileSync(path, 'no database '.repeat(1_000))
    expect(await codeOf(start())).toBe(74)
    expect(readFileSync(path, 'utf8')).toMatch(/^no database /)
  })

  test('where the data folder is a file ends with 77', async () => {
    const path = join(dataDir, 'file')
    writeFileSync(path, '')
    expect(await codeOf(startTestAnalyzer({ dataDir: path }))).toBe(77)
  })

  test.each([
    [new SettingsError('unknown setting LOOPKIT_TYPO'), 78, 'LOOPKIT_TYPO'],
    [new SchemaNewerError('schema step 9'), 78, 'schema step 9'],
    [Object.assign(new Error('listen EADDRINUSE: 3000'), { code: 'EADDRINUSE' }), 75, 'LOOPKIT_ANALYZER_PORT'],
    [Object.assign(new Error('mkdir'), { code: 'EROFS' }), 77, 'LOOPKIT_DATA_DIR'],
    [Object.assign(new Error('unable to open'), { code: 'SQLITE_CANTOPEN' }), 77, 'LOOPKIT_DATA_DIR'],
    [new TypeError('a bug'), 70, 'a bug'],
  ])('%s is explained in one line', (error, code, part) => {
    const reason = explainExit(error, { dataDir: '/data' })
    expect(reason.code).toBe(code)
    expect(reason.line).toContain(part)
    expect(reason.line).not.toContain('\n')
  })
})

describe('addresses', () => {
  const settings = {
    host: '127.0.0.1',
    publicUrl: null,
    publicOtlpUrl: null,
    otlpHttpPort: 4318,
    otlpPathPrefix: '',
    otlpTlsCertFile: null,
    dataDir: '/nowhere',
  }
  test.each([
    ['host and port', {}, 'http://127.0.0.1:3000', 'http://127.0.0.1:4318'],
    ['every interface', { host: '0.0.0.0' }, 'http://localhost:3000', 'http://localhost:4318'],
    ['IPv6', { host: '::1' }, 'http://[::1]:3000', 'http://[::1]:4318'],
    [
      'public URLs',
      { publicUrl: 'https://a.example/', publicOtlpUrl: 'https://o.example' },
      'https://a.example',
      'https://o.example',
    ],
    ['TLS', { otlpTlsCertFile: 'cert.pem' }, 'http://127.0.0.1:3000', 'https://127.0.0.1:4318'],
    ['a path prefix', { otlpPathPrefix: '/otlp' }, 'http://127.0.0.1:3000', 'http://127.0.0.1:4318/otlp'],
    ['a collector that is not known yet', { otlpHttpPort: 0 }, 'http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ])('come from %s', (_, more, analyzerUrl, otlpUrl) => {
    const addresses = createAddresses({ ...settings, ...more }, () => 3000)
    expect([addresses.analyzerUrl(), addresses.otlpUrl()]).toEqual([analyzerUrl, otlpUrl])
  })

  test('of a collector on a free port are those that it wrote', async () => {
    await start()
    expect(findCollector({ ...settings, dataDir, otlpHttpPort: 0 })).toBeNull()
    writeFileSync(join(dataDir, 'run', 'collector.json'), '{"otlpHttpPort":4567}')
    expect(findCollector({ ...settings, dataDir, otlpHttpPort: 0, host: '0.0.0.0' })).toEqual({
      host: '127.0.0.1',
      port: 4567,
      pathPrefix: '',
    })
    expect(findCollector({ ...settings, dataDir, otlpTlsCertFile: 'cert.pem' })?.socketPath).toMatch(/run\/collector\.sock$/)
  })
})
