import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callApi, sendOtlp } from '../harness/http.ts'
import { spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, type RecordJson, readAll, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

/** To the letter what the contract's §3 says a newcomer sends first. */
const QUICKSTART =
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"trace_1","spanId":"span_1","name":"tool_call_failed","startTimeUnixNano":"1781856000000000000","status":{"code":2,"message":"tool failed"}}]}]}]}'

let product: Product
let keys: ProjectKeys
let other: ProjectKeys
const api = (path: string) => `${product.analyzerUrl}${path}`

beforeAll(async () => {
  product = await startProduct()
  keys = await product.provision('bad input')
  other = await product.provision('somebody else')
}, 60_000)
afterAll(() => product?.stop())

test('the first thing a newcomer sends is stored, found by the text that was sent, and in the first diagnosis', async () => {
  const mine = await product.provision('newcomer')
  const sent = await sendOtlp(product.otlpUrl, mine.producer_key, QUICKSTART)
  expect([sent.status, sent.text, sent.headers.get('content-type')]).toEqual([200, '{}', 'application/json'])
  const { items } = await readJson<Page<RecordJson>>(api('/v1/telemetry?trace_id=trace_1'), mine.agent_key)
  expect(items).toMatchObject([{ trace_id: 'trace_1', span_id: 'span_1', name: 'tool_call_failed', end_unix_nano: null }])
  const diagnosis = await callApi(api('/v1/runs/diagnose'), { key: mine.agent_key, json: { since_minutes: 60 } })
  const { ok, packet } = diagnosis.json<{ ok: boolean; packet: { status: string; issues: { evidence_ids: string[] }[] } }>()
  expect([diagnosis.status, ok, packet.status]).toEqual([200, true, 'observe_more'])
  expect(packet.issues.flatMap(({ evidence_ids }) => evidence_ids)).toContain(items[0]?.record_id)
})

describe('keys', () => {
  const span = () => traceRequest('keys', [spanJson({ traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) })])

  test('no key and a wrong key are a 401 on both processes', async () => {
    const headers = { 'content-type': 'application/json' }
    expect((await callApi(`${product.otlpUrl}/v1/traces`, { json: span(), headers })).status).toBe(401)
    expect((await sendOtlp(product.otlpUrl, `${keys.producer_key.slice(0, -1)}!`, span())).status).toBe(401)
    expect((await callApi(api('/v1/telemetry'))).status).toBe(401)
    expect((await callApi(api('/v1/telemetry'), { key: 'lk_agent_wrong' })).status).toBe(401)
  })

  test('a key without the scope is a 403', async () => {
    expect((await sendOtlp(product.otlpUrl, keys.agent_key, span())).status).toBe(403)
    expect((await callApi(api('/v1/telemetry'), { key: keys.producer_key })).status).toBe(403)
  })

  test('what belongs to another project is answered as if it did not exist', async () => {
    const traceId = 'e'.repeat(32)
    await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('mine', [spanJson({ traceId, spanId: 'f'.repeat(16) })]))
    const diagnosis = await callApi(api('/v1/runs/diagnose'), { key: keys.agent_key, json: { since_minutes: 60 } })
    const { packet_id } = diagnosis.json<{ packet: { packet_id: string } }>().packet
    for (const [theirs, unknown] of [
      [`/v1/sessions/${traceId}`, `/v1/sessions/${'9'.repeat(32)}`],
      [`/v1/packets/${packet_id}`, `/v1/packets/pkt_${'0'.repeat(packet_id.length - 4)}`],
      ['/v1/pains/pain_00000000', '/v1/pains/pain_11111111'],
    ] as const) {
      expect((await callApi(api(theirs), { key: keys.agent_key })).status).toBe(theirs.includes('pain_') ? 404 : 200)
      const [foreign, none] = await Promise.all([theirs, unknown].map((path) => callApi(api(path), { key: other.agent_key })))
      expect([foreign?.status, foreign?.text]).toEqual([404, none?.text])
    }
    expect(await readAll(api(`/v1/telemetry?trace_id=${traceId}`), other.agent_key)).toEqual([])
  })

  test("provisioning an existing name needs a key, and another project's key is a 403", async () => {
    const provision = (key?: string) => callApi(api('/v1/provision'), { key, json: { project_name: 'bad input' } })
    expect((await provision()).status).toBe(401)
    expect((await provision(other.agent_key)).status).toBe(403)
    const resumed = await provision(keys.agent_key)
    expect(resumed.json()).toMatchObject({ resumed: true, project_id: keys.project_id })
    expect(resumed.text).not.toContain('lk_')
  })

  test('50 simultaneous provisions of one name make one project', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => callApi(api('/v1/provision'), { json: { project_name: 'race' } })),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([201, ...Array(49).fill(401)])
  })

  test('recovery revokes both keys for the very next request on both processes', async () => {
    const old = await product.provision('recover me')
    expect((await sendOtlp(product.otlpUrl, old.producer_key, span())).status).toBe(200)
    const recovery = await callApi(api('/v1/recover'), { json: { project_id: old.project_id, recovery_code: old.recovery_code } })
    expect(recovery.status).toBe(200)
    const fresh = recovery.json<ProjectKeys>()
    expect((await sendOtlp(product.otlpUrl, old.producer_key, span())).status).toBe(401)
    expect((await callApi(api('/v1/telemetry'), { key: old.agent_key })).status).toBe(401)
    expect((await sendOtlp(product.otlpUrl, fresh.producer_key, span())).status).toBe(200)
    expect((await callApi(api('/v1/telemetry'), { key: fresh.agent_key })).status).toBe(200)
  })

  test('a wrong recovery code and an unknown project are answered alike', async () => {
    const recover = (project_id: string) => callApi(api('/v1/recover'), { json: { project_id, recovery_code: '0'.repeat(64) } })
    const [wrong, unknown] = await Promise.all([recover(keys.project_id), recover('nobody-00000000')])
    expect([wrong?.status, wrong?.text]).toEqual([unknown?.status, unknown?.text])
    expect(wrong?.status).toBeGreaterThanOrEqual(400)
  })
})

describe('spans', () => {
  test.each(['trace_id', 'session', 'receipt'])('text ids are found again by the text that was sent: %s', async (by) => {
    const [traceId, spanId] = ['order-2026-08-21', 'span_001']
    await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('texts', [spanJson({ traceId, spanId, name: 'text ids' })]))
    if (by === 'receipt') {
      expect(await readJson(api(`/v1/traces/${traceId}/receipt`), keys.agent_key)).toMatchObject({ found: true, spans: 1 })
      return
    }
    const path = by === 'trace_id' ? `/v1/telemetry?trace_id=${traceId}` : `/v1/sessions/${traceId}`
    const [record] = await readAll<RecordJson>(api(path), keys.agent_key)
    expect(record).toMatchObject({ trace_id: traceId, span_id: spanId, name: 'text ids' })
    const [again] = await readAll<RecordJson>(api(`/v1/telemetry?record_id=${record?.record_id}`), keys.agent_key)
    expect(again?.span_id).toBe(spanId)
  })
})

describe('bounds', () => {
  test.each([0, -1, 1e9, 'x', 1.5, null])('since_minutes of %p is a 400 that names the bounds', async (since_minutes) => {
    const answer = await callApi(api('/v1/runs/diagnose'), { key: keys.agent_key, json: { since_minutes } })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/problem+json'])
    const { errors } = answer.json<{ errors: { pointer: string; detail: string }[] }>()
    expect(errors[0]).toMatchObject({ pointer: '/since_minutes', detail: expect.stringMatching(/1\b.*43,?200/) })
  })

  test.each(['0', '-1', '1e9', 'x'])('since_minutes=%s in a query is a 400 that names the bounds', async (text) => {
    const answer = await callApi(api(`/v1/telemetry?since_minutes=${text}`), { key: keys.agent_key })
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/43,?200/)
  })
})
