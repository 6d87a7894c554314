import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { DiagnosisPacket, Issue } from '../../analyzer/src/domain/packet/model.ts'
import { countTokens } from '../../analyzer/src/domain/token-count.ts'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { createOpenApiValidator, type ValidateAnswer } from '../harness/openapi-validator.ts'
import { attributes, type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, type RecordJson, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000

let product: Product
let keys: ProjectKeys
let validate: ValidateAnswer
beforeAll(async () => {
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: '2000' } })
  keys = await product.provision('counted by hand')
  validate = await createOpenApiValidator(product.analyzerUrl)
  for (const { service, version, spans } of [...checkouts(), ...searches()]) {
    const answer = await sendOtlp(
      product.otlpUrl,
      keys.producer_key,
      traceRequest(service, spans, version ? { 'service.version': version } : {}),
    )
    expect(answer.status).toBe(200)
  }
}, MINUTE_MS)
afterAll(() => product?.stop())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')
const nano = (ms: number) => String(BigInt(ms) * 1_000_000n)
const NOW = Date.now()

interface Sent {
  service: string
  version?: string
  spans: SpanJson[]
}

/** 60 visits by 7 people: yen fail since release 2.1, which is every sixth visit of the later 30. The gateway only carries it on. */
function checkouts(): Sent[] {
  return Array.from({ length: 60 }, (_, at): Sent[] => {
    const [traceId, entry, charge] = [hex(16), hex(8), hex(8)]
    const [isYen, version] = [at % 6 === 0, at < 30 ? '2.0' : '2.1']
    const fails = isYen && version === '2.1'
    const startTimeUnixNano = nano(NOW - 3_000_000 + at * 40_000)
    const request = { 'http.request.method': 'POST', 'http.route': '/checkout', 'http.response.status_code': fails ? 500 : 200 }
    const thrown = { 'exception.type': 'RangeError', 'exception.message': 'no minor unit for JPY' }
    return [
      {
        service: 'gateway',
        spans: [
          spanJson({
            ...{ traceId, spanId: entry, name: 'POST /checkout', kind: 2, startTimeUnixNano },
            attributes: attributes({ ...request, 'user.id': `u${at % 7}` }),
            ...(fails && { status: { code: 2 } }),
          }),
        ],
      },
      {
        service: 'pay',
        version,
        spans: [
          spanJson({
            ...{ traceId, spanId: charge, parentSpanId: entry, name: 'charge', startTimeUnixNano },
            attributes: attributes({ currency: isYen ? 'JPY' : ['USD', 'EUR', 'CHF'][at % 3]!, region: ['eu', 'us'][at % 2]! }),
            ...(fails && { status: { code: 2 }, events: [{ name: 'exception', attributes: attributes(thrown) }] }),
          }),
        ],
      },
    ]
  }).flat()
}

/** 12 runs of an agent in 6 conversations; its search fails in four runs of two of them. */
function searches(): Sent[] {
  const spans = Array.from({ length: 12 }, (_, at) => {
    const [traceId, root] = [hex(16), hex(8)]
    const startTimeUnixNano = nano(NOW - 2_000_000 + at * 30_000)
    const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.conversation.id': `talk ${at % 6}` }
    const tool = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search',
      'gen_ai.tool.call.arguments': '{"limit":-1}',
    }
    const failure = at % 3 === 0 ? { status: { code: 2, message: 'limit must be positive' } } : {}
    return [
      spanJson({ traceId, spanId: root, name: 'invoke_agent', startTimeUnixNano, attributes: attributes(agent) }),
      spanJson({
        ...{ traceId, spanId: hex(8), parentSpanId: root, name: 'execute_tool search', startTimeUnixNano },
        ...{ attributes: attributes(tool), ...failure },
      }),
    ]
  }).flat()
  return [{ service: 'agent', spans }]
}

const url = (path: string) => product.analyzerUrl + path
const ask = (json: object = {}, key = keys.agent_key) => callApi(url('/v1/runs/diagnose'), { key, json })
const read = async (json?: object) => (await ask(json)).json<{ packet: DiagnosisPacket }>().packet
const bySignal = (packet: DiagnosisPacket, signal: string) => packet.issues.find(({ signal_type }) => signal_type === signal)!
const nullsOf = (issue: Issue) => Object.entries(issue).flatMap(([name, value]) => (value === null ? [name] : []))

describe('a packet of telemetry that was counted by hand', () => {
  test('counts records, sessions, people and runs right, blames the origin, and names release and currency first', async () => {
    const packet = await read()
    expect(packet).toMatchObject({
      status: 'ready_for_issue_diagnosis',
      telemetry_read: 144,
      failures: 9,
      approval_required: true,
    })
    expect(packet.issues).toHaveLength(2)
    expect(bySignal(packet, 'exception')).toMatchObject({
      ...{ count: 5, session_count: 5, evidence_count: 5 },
      blast_radius: { services: ['gateway', 'pay'], routes: ['POST /checkout'], releases: ['2.1'], sessions: 5, users: 5 },
      suspects: [{ kind: 'release', ref: '2.1' }],
    })
    const [contrast] = bySignal(packet, 'exception').contrasts!
    expect(contrast).toMatchObject({
      attributes: { currency: 'JPY', 'service.version': '2.1' },
      share_failing: 1,
      share_healthy: 0,
      n: 60,
    })
    expect(bySignal(packet, 'tool_failure')).toMatchObject({
      count: 4,
      session_count: 2,
      blast_radius: { sessions: 2, users: null },
    })
  })

  test('names records and traces that can be read, in the session that it says, and not with another project’s key', async () => {
    const other = await product.provision('somebody else')
    const { issues } = await read()
    for (const { evidence_ids, traces, signal_type } of issues) {
      for (const id of evidence_ids) {
        const path = url(`/v1/telemetry?record_id=${id}`)
        const [record] = (await readJson<Page<RecordJson>>(path, keys.agent_key)).items
        expect([record?.record_id, record?.signal_type]).toEqual([id, signal_type])
        expect((await readJson<Page<RecordJson>>(path, other.agent_key)).items).toEqual([])
        const session = await callApi(url(`/v1/sessions/${encodeURIComponent(record!.session_id)}`), { key: keys.agent_key })
        expect(session.text).toContain(id)
      }
      for (const { trace_id, session_id } of traces) {
        for (const id of [trace_id, session_id]) {
          const path = url(`/v1/sessions/${encodeURIComponent(id)}`)
          const [own, foreign] = await Promise.all([keys, other].map(({ agent_key: key }) => callApi(path, { key })))
          expect([own?.status, foreign?.status]).toEqual([200, 404])
        }
      }
    }
  })

  test('keeps any budget as the whole answer is counted, stays a packet, and gives every null its reason', async () => {
    for (const budget_tokens of [300, 400, 600, 900, 1500, 3000, 6000, 2_000_000_000]) {
      const answer = await ask({ budget_tokens })
      expect(countTokens(answer.text)).toBeLessThanOrEqual(budget_tokens)
      expect(validate('POST', '/v1/runs/diagnose', 200, answer.json())).toEqual([])
      const { packet } = answer.json<{ packet: DiagnosisPacket }>()
      for (const issue of packet.issues) expect(Object.keys(issue.unavailable)).toEqual(expect.arrayContaining(nullsOf(issue)))
      const named = [...packet.issues, ...packet.omitted].flatMap(({ evidence_ids }) => evidence_ids ?? [])
      expect(named.length).toBeGreaterThan(0)
      for (const { href } of packet.omitted) {
        const path = href?.replace('{pain_id}', packet.issues[0]?.pain_id ?? '') ?? '/v1/pains'
        expect((await callApi(url(path), { key: keys.agent_key })).status).toBe(200)
      }
    }
    expect((await ask({ budget_tokens: 299 })).status).toBe(400)
  })
})

test(
  'a decision changes no pain, no count and no evidence; the same packet is the same bytes whenever it is read',
  async () => {
    const own = await product.provision('decided later')
    const failing = Array.from({ length: 25 }, (_, at) =>
      spanJson({
        ...{ traceId: hex(16), spanId: hex(8), name: 'sync', startTimeUnixNano: nano(NOW - at * 1000) },
        status: { code: 2, message: 'cannot open ledger' },
      }),
    )
    expect((await sendOtlp(product.otlpUrl, own.producer_key, traceRequest('w', failing))).status).toBe(200)
    const diagnosed = async () => (await ask({}, own.agent_key)).json<{ packet: DiagnosisPacket }>().packet
    const first = await diagnosed()
    expect(first.issues).toMatchObject([{ provisional: true, count: 25 }])
    const decided = await until('the decision', async () => {
      const packet = await diagnosed()
      return packet.issues[0]?.provisional ? null : packet
    })
    const said = ({ issues: [issue] }: DiagnosisPacket) =>
      [
        issue!.pain_id,
        issue!.count,
        issue!.session_count,
        issue!.evidence_ids,
        issue!.traces,
        issue!.patch_plan?.plan_digest,
      ] as const
    expect(said(decided)).toEqual(said(first))
    const stored = await callApi(url(`/v1/packets/${first.packet_id}`), { key: own.agent_key })
    expect(stored.text).toBe(JSON.stringify(first))
    expect((await callApi(url(`/v1/packets/${first.packet_id}`), { key: keys.agent_key })).status).toBe(404)
  },
  MINUTE_MS,
)

test.each<[what: string, failures: number, sessions: number, status: string]>([
  ['one failure', 1, 1, 'observe_more'],
  ['two in one session', 2, 1, 'observe_more'],
  ['three in one session', 3, 1, 'ready_for_issue_diagnosis'],
  ['two in two sessions', 2, 2, 'ready_for_issue_diagnosis'],
])('%s: of %i failures in %i sessions the packet says %s', async (what, failures, sessions, status) => {
  const own = await product.provision(what)
  const spans = Array.from({ length: failures }, (_, at) =>
    spanJson({
      ...{ traceId: hex(16), spanId: hex(8), name: 'sync' },
      attributes: attributes({ 'session.id': `s${at % sessions}` }),
      status: { code: 2, message: 'cannot open ledger' },
    }),
  )
  expect((await sendOtlp(product.otlpUrl, own.producer_key, traceRequest('w', spans))).status).toBe(200)
  expect((await ask({}, own.agent_key)).json<{ packet: DiagnosisPacket }>().packet.status).toBe(status)
})
