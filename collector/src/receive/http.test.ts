import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  addKey,
  addProject,
  createControl,
  KEY,
  spanIdOf,
  startTestCollector,
  type TestCollector,
  traceIdOf,
  traceJson,
} from '../start/collector.fixture.ts'

let collector: TestCollector
const NOW_MS = 1_700_000_000_000
const BODY_MAX_BYTES = 1024 * 1024

beforeAll(async () => {
  collector = await startTestCollector({
    env: {
      LOOPKIT_BODY_MAX_BYTES: String(BODY_MAX_BYTES),
      LOOPKIT_CORS_ORIGINS: 'https://app.example',
      LOOPKIT_JSON_VALUES_MAX: '100000',
    },
  })
  const { control } = collector
  addKey(control, { key: 'revoked', projectNo: 1, revokedAtMs: 1 })
  addKey(control, { key: 'expired', projectNo: 1, expiresAtMs: NOW_MS })
  addKey(control, { key: 'agent', projectNo: 1, scopes: 'runs:write telemetry:read' })
  addKey(control, { key: 'ended', projectNo: addProject(control, { name: 'ended', sandbox: true, expiresAtMs: NOW_MS }) })
  addKey(control, { key: 'deleted', projectNo: addProject(control, { name: 'deleted', deletedAtMs: NOW_MS }) })
})

afterAll(() => collector.stop())

let next = 1
const oneSpan = () => traceJson([{ traceId: traceIdOf(next++), spanId: spanIdOf(1) }])

describe('who may send', () => {
  test.each([
    ['no key', null, 401],
    ['an unknown key', 'lk_ingest_unknown', 401],
    ['a revoked key', 'revoked', 401],
    ['an expired key', 'expired', 401],
    ['a key without telemetry:write', 'agent', 403],
    ['an expired sandbox', 'ended', 403],
    ['a deleted project', 'deleted', 403],
  ])('%s is refused', async (_, key, status) => {
    const answer = await collector.send(oneSpan(), { key })
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.json()).toMatchObject({ code: status === 401 ? 16 : 7 })
  })

  test('an expired sandbox has its own code', async () => {
    expect((await collector.send(oneSpan(), { key: 'ended' })).json().message).toMatch(/^sandbox_expired/)
  })

  test('a revoked key fails on the next request', async () => {
    addKey(collector.control, { key: 'soon', projectNo: 1 })
    expect((await collector.send(oneSpan(), { key: 'soon' })).status).toBe(200)
    collector.control.prepare("update api_key set revoked_at_ms = 1 where key_id = 'key_soon'").run()
    expect((await collector.send(oneSpan(), { key: 'soon' })).status).toBe(401)
  })

  test('a refusal speaks the encoding of the request', async () => {
    const answer = await collector.send(new Uint8Array(0), { key: null })
    expect(answer.headers['content-type']).toBe('application/x-protobuf')
    expect([...answer.body.subarray(0, 2)]).toEqual([0x08, 16])
  })
})

/** What becomes of bodies, types, compressions and connections is in test/conformance. */
describe('what is answered', () => {
  test('a sender that reads only after it has sent all of a body too large is answered, not cut off', async () => {
    const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${KEY}\r\ncontent-length: ${20 * BODY_MAX_BYTES}\r\n\r\n`
    const socket = connect(collector.port(), '127.0.0.1')
    const failures: Error[] = []
    socket.on('error', (error) => failures.push(error))
    socket.pause()
    socket.write(head)
    await new Promise((resolve) => socket.write(Buffer.alloc(20 * BODY_MAX_BYTES, 'x'), resolve))
    const said: Buffer[] = []
    for await (const chunk of socket) said.push(chunk)
    expect([Buffer.concat(said).toString().slice(0, 12), failures]).toEqual(['HTTP/1.1 413', []])
  })

  test('what is refused before its body is read is in the ledger', async () => {
    const projectNo = addProject(collector.control, { name: 'counted' })
    addKey(collector.control, { key: 'counted', projectNo })
    await collector.send('{}', { headers: { 'content-encoding': 'br' }, key: 'counted' })
    const rows = () => collector.rows('select what, count from ledger where project_no = ?', projectNo)
    const deadline = performance.now() + 5_000
    while (rows().length === 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(rows()).toEqual([{ what: 'refused:encoding_unsupported', count: 1n }])
  })

  test.each([
    ['/health', 'GET', 200],
    ['/readyz', 'GET', 200],
    ['/health', 'POST', 405],
  ])('%s with %s is %d', async (path, method, status) => {
    const answer = await collector.send('', { path, method })
    expect(answer.status).toBe(status)
    if (status === 405) expect(answer.headers.allow).toBeDefined()
  })

  test('metrics carry the names of the OpenTelemetry Collector', async () => {
    await collector.send(oneSpan())
    const text = (await collector.send('', { path: '/metrics', method: 'GET' })).body.toString()
    expect(text).toMatch(/^otelcol_receiver_accepted_spans\{receiver="otlp",transport="http"\} \d+$/m)
    expect(text).toMatch(
      /^http_server_request_duration_count\{http_request_method="POST",http_route="\/v1\/traces",http_response_status_code="200"\} \d+$/m,
    )
    expect(text).toMatch(/^otelcol_exporter_queue_capacity\{exporter="loopkit",data_type="traces"\} \d+$/m)
    expect(text).toMatch(/^otelcol_process_uptime [\d.]+$/m)
    expect(text).toMatch(
      /^target_info\{service_name="loopkit-collector",service_version="[^"]+",service_instance_id="[^"]+"\} 1$/m,
    )
  })
})

describe('logs and metrics', () => {
  test.each(['logs', 'metrics'])('%s are taken, counted and said not to be kept once', async (signal) => {
    const body =
      signal === 'logs'
        ? '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]}]}'
        : '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{},{}]}}]}]}]}'
    const first = await collector.send(body, { path: `/v1/${signal}` })
    expect([first.status, first.json().partialSuccess]).toEqual([
      200,
      { errorMessage: expect.stringContaining(`${signal} are accepted`) },
    ])
    const second = await collector.send(body, { path: `/v1/${signal}` })
    expect([second.status, second.body.toString()]).toEqual([200, '{}'])
    expect((await collector.send('{"resourceLogs":3', { path: `/v1/${signal}` })).status).toBe(400)
    expect((await collector.send('{}', { path: `/v1/${signal}`, key: 'wrong' })).status).toBe(401)
  })
})

describe('without control.db', () => {
  test('the collector starts, asks to come again, and serves as soon as the file is there', async () => {
    const alone = await startTestCollector({ withoutControl: true })
    try {
      const early = await alone.send(oneSpan())
      expect([early.status, early.headers['retry-after']]).toEqual([503, '1'])
      expect((await alone.send('', { path: '/readyz', method: 'GET' })).status).toBe(503)
      const control = createControl(`${alone.dataDir}/control.db`)
      addKey(control, { key: KEY, projectNo: addProject(control, { name: 'default' }) })
      control.close()
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect((await alone.send(oneSpan())).status).toBe(200)
      expect((await alone.send('', { path: '/readyz', method: 'GET' })).status).toBe(200)
    } finally {
      await alone.stop()
    }
  })
})

describe('without a key', () => {
  test('requests from loopback go to the keyless project, and to no other', async () => {
    const open = await startTestCollector({ env: { LOOPKIT_KEYLESS_PROJECT: 'default' } })
    try {
      expect((await open.send(oneSpan(), { key: null })).status).toBe(200)
      expect((await open.send(oneSpan(), { key: 'wrong' })).status).toBe(401)
    } finally {
      await open.stop()
    }
  })
})
