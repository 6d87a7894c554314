import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { decodeLogs } from '@loopkit/shared/otlp/decode-logs'
import { encodeLogs } from '@loopkit/shared/otlp/encode-logs'
import { transcodeLogsJson } from '@loopkit/shared/otlp/transcode-json'
import { createGrpcSender, grpcPortOf } from '../harness/grpc-calls.ts'
import { callApi, sendOtlp } from '../harness/http.ts'
import { createOpenApiValidator } from '../harness/openapi-validator.ts'
import { type Page, type RecordJson, readAll, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000

interface LogRecordJson extends RecordJson {
  log?: { severity_number: number; severity_text: string; body: unknown }
}

interface Issue {
  pain_id: string
  title: string
  count: number
  signal_type: string
  evidence_count: number
  evidence_ids: string[]
  traces: { trace_id: string; session_id: string }[]
  why: string
  next_action: string
}

const TRACE = '5b8efff798038103d269b633813fc60c'
const FAILING_TRACE = '5b8efff798038103d269b633813fc60d'
const SPAN = 'eee19b7ec3c1b174'
const START_NANO = 1_781_856_000_000_000_000n

const at = (ms: number) => String(START_NANO + BigInt(ms) * 1_000_000n)

/** Python's logging handler: `logger.exception("Failed to place order %s", 7)`. */
const PYTHON_LOG = {
  timeUnixNano: at(5),
  observedTimeUnixNano: at(5),
  severityNumber: 17,
  severityText: 'ERROR',
  body: { stringValue: 'Failed to place order 7' },
  attributes: keyValues({
    'code.file.path': '/srv/shop/orders.py',
    'code.function.name': 'place',
    'exception.type': 'KeyError',
    'exception.message': "'currency'",
    'exception.stacktrace':
      'Traceback (most recent call last):\n  File "/srv/shop/orders.py", line 31, in place\n    rate = rates[order["currency"]]\nKeyError: \'currency\'\n',
  }),
  traceId: TRACE,
  spanId: SPAN,
  flags: 1,
}

/** JavaScript's winston or pino instrumentation: no exception, the name of the severity as the library has it. */
const JAVASCRIPT_LOG = (n: number) => ({
  timeUnixNano: at(10 + n),
  severityNumber: 17,
  severityText: 'error',
  body: { stringValue: `could not reserve 3 items of SKU-${1000 + n}` },
  attributes: keyValues({ 'service.pid': '4242' }),
})

function keyValues(attributes: Record<string, string>) {
  return Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }))
}

const logsOf = (service: string, scope: string, ...logRecords: object[]) => ({
  resourceLogs: [
    { resource: { attributes: keyValues({ 'service.name': service }) }, scopeLogs: [{ scope: { name: scope }, logRecords }] },
  ],
})

const traceOf = (traceId: string, ...spans: object[]) => ({
  resourceSpans: [
    {
      resource: { attributes: keyValues({ 'service.name': 'shop' }) },
      scopeSpans: [{ spans: spans.map((span) => ({ traceId, ...span })) }],
    },
  ],
})

const spanOf = (spanId: string, name: string, more: object) => ({ spanId, name, kind: 2, ...more })

function asProtobuf(request: object): Uint8Array {
  const { body } = transcodeLogsJson(Buffer.from(JSON.stringify(request)), { jsonDepthMax: 300, jsonValuesMax: 10_000 })
  return encodeLogs([...decodeLogs(body)])
}

describe('log records of errors, sent beside traces', () => {
  let product: Product
  let keys: ProjectKeys
  let issues: Issue[]
  const read = <T>(path: string) => readJson<T>(`${product.analyzerUrl}${path}`, keys.agent_key)
  const records = (query: string) => readAll<LogRecordJson>(`${product.analyzerUrl}/v1/telemetry?${query}`, keys.agent_key)
  const titled = (words: string) => issues.filter(({ title }) => title.includes(words))

  beforeAll(async () => {
    product = await startProduct()
    keys = await product.provision('logs')
    const { otlpUrl } = product
    const send = (body: object) => sendOtlp(otlpUrl, keys.producer_key, body)
    const python = logsOf('shop', 'shop.orders', PYTHON_LOG, { ...PYTHON_LOG, severityNumber: 9, attributes: [] })
    const failing = { ...PYTHON_LOG, traceId: FAILING_TRACE }
    await sendOtlp(otlpUrl, keys.producer_key, python, 'logs')
    await send(traceOf(TRACE, spanOf(SPAN, 'POST /orders', { startTimeUnixNano: at(0), endTimeUnixNano: at(9) })))
    await send(
      traceOf(
        FAILING_TRACE,
        spanOf(SPAN, 'POST /orders', { startTimeUnixNano: at(0), endTimeUnixNano: at(9), status: { code: 2 } }),
        spanOf('eee19b7ec3c1b175', 'render', { parentSpanId: SPAN, startTimeUnixNano: at(6), endTimeUnixNano: at(8) }),
      ),
    )
    await sendOtlp(otlpUrl, keys.producer_key, asProtobuf(logsOf('shop', 'shop.orders', failing)), 'logs')
    const grpc = createGrpcSender(grpcPortOf(product.dataDir), keys.producer_key)
    for (let n = 0; n < 3; n++) await grpc.call(asProtobuf(logsOf('stock', 'reserve', JAVASCRIPT_LOG(n))), { to: 'logs' })
    grpc.close()
    const answer = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, { key: keys.agent_key, json: { since_minutes: 60 } })
    issues = answer.json<{ packet: { issues: Issue[] } }>().packet.issues
  }, 2 * MINUTE_MS)
  afterAll(() => product?.stop())

  test('an exception on a healthy span is a pain of its operation', async () => {
    const [issue, ...others] = titled("KeyError in POST /orders: '").filter(({ traces }) => traces[0]?.trace_id === TRACE)
    expect(others).toEqual([])
    expect(issue).toMatchObject({
      count: 1,
      signal_type: 'exception',
      why: expect.stringContaining('1 of 2 runs of the operation'),
    })
    const [record] = await records(`record_id=${issue!.evidence_ids[0]}`)
    expect(record).toMatchObject({ kind: 'log', trace_id: TRACE, span_id: SPAN, parent_span_id: null, signal_type: 'exception' })
    expect(record!.log).toMatchObject({ severity_number: 17, severity_text: 'ERROR', body: 'Failed to place order 7' })
    expect(record!.status).toEqual({ code: 2, message: 'Failed to place order 7' })
  })

  test('the same exception of a span that failed is that span’s pain, with the log record as evidence', async () => {
    const [issue, ...others] = issues.filter(({ traces }) => traces.some(({ trace_id }) => trace_id === FAILING_TRACE))
    expect(others).toEqual([])
    const told = { title: expect.stringContaining('KeyError in POST /orders'), why: expect.stringContaining('exception.type') }
    expect(issue).toMatchObject({ count: 1, evidence_count: 2, ...told })
    const evidence = await Promise.all(issue!.evidence_ids.map((id) => records(`record_id=${id}`)))
    expect(evidence.flat().map(({ kind, trace_id }) => [kind, trace_id])).toEqual([
      ['span', FAILING_TRACE],
      ['log', FAILING_TRACE],
    ])
  })

  test('log records without a trace are one pain of three failures, each a session of its own', async () => {
    const [issue, ...others] = titled('could not reserve')
    expect(others).toEqual([])
    expect(issue).toMatchObject({
      count: 3,
      signal_type: 'error_status',
      why: expect.stringContaining('of how many is not known'),
    })
    expect(new Set(issue!.traces.map(({ trace_id }) => trace_id))).toEqual(new Set(['0'.repeat(32)]))
    expect(issue!.evidence_ids).toHaveLength(3)
    const path = /GET ([^ ;]+)/.exec(issue!.next_action)![1]!
    const session = await read<Page<LogRecordJson> & { session_id: string }>(path)
    expect(session.items.map(({ record_id }) => record_id)).toEqual([session.session_id])
    expect(issue!.evidence_ids).toContain(session.session_id)
  })

  test('a session shows log records between its spans, in order of time', async () => {
    const { items } = await read<Page<LogRecordJson>>(`/v1/sessions/${FAILING_TRACE}`)
    expect(items.map(({ kind, name }) => [kind, name])).toEqual([
      ['span', 'POST /orders'],
      ['log', 'shop.orders'],
      ['span', 'render'],
    ])
    const errors = await read<Page<LogRecordJson>>(`/v1/sessions/${FAILING_TRACE}?view=errors`)
    expect(errors.items.map(({ kind }) => kind)).toEqual(['span', 'log'])
    const lines = await read<Page<{ line: string }>>(`/v1/sessions/${FAILING_TRACE}?view=skeleton`)
    expect(lines.items[1]!.line).toContain('log ERROR · shop')
  })

  test('the list of records has both kinds once, newest arrival first, on pages of any size', async () => {
    const all = await records('limit=1000')
    expect(all.map(({ kind }) => kind)).toEqual(['log', 'log', 'log', 'log', 'span', 'span', 'span', 'log'])
    for (const limit of [1, 3])
      expect((await records(`limit=${limit}`)).map(({ record_id }) => record_id)).toEqual(all.map(({ record_id }) => record_id))
    const ofTrace = await records(`trace_id=${TRACE}`)
    expect(ofTrace.map(({ kind }) => kind).sort()).toEqual(['log', 'span'])
    expect((await records('signal_type=exception')).map(({ kind }) => kind)).toEqual(['log', 'log'])
    expect((await records('service=stock')).length).toBe(3)
  })

  test('ledger, receipt and packet count them', async () => {
    expect(await read('/v1/ingest/ledger')).toMatchObject({ accepted: 3, kept: { logs: 5 }, not_kept: { logs: 1 }, rejected: {} })
    expect(await read(`/v1/traces/${FAILING_TRACE}/receipt`)).toMatchObject({
      found: true,
      spans: 2,
      logs: 1,
      services: ['shop'],
    })
    const packet = await read<{ last_run: { telemetry_read: number } }>('/v1/dashboard')
    expect(packet.last_run.telemetry_read).toBe(8)
  })

  test('every answer keeps to the schema that /openapi.json publishes', async () => {
    const validate = await createOpenApiValidator(product.analyzerUrl)
    for (const [path, given] of [
      ['/v1/telemetry', ''],
      ['/v1/sessions', ''],
      ['/v1/sessions/{id}', FAILING_TRACE],
      ['/v1/pains', ''],
      ['/v1/pains/{id}/why', issues[0]?.pain_id],
      ['/v1/ingest/ledger', ''],
      ['/v1/traces/{id}/receipt', TRACE],
    ] as const) {
      const body = await read(path.replace('{id}', String(given)))
      expect({ path, errors: validate('GET', path, 200, body) }).toEqual({ path, errors: [] })
    }
  })
})
