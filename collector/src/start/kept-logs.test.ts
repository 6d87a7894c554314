import { afterEach, describe, expect, test } from '@jest/globals'
import { decodeLogs } from '@loopkit/shared/otlp/decode-logs'
import { encodeLogs } from '@loopkit/shared/otlp/encode-logs'
import { transcodeLogsJson } from '@loopkit/shared/otlp/transcode-json'
import { unpackSegment } from '@loopkit/shared/segment/pack-segment'
import { decodeLogsAsSpans } from '@loopkit/shared/span/log-as-span'
import {
  addKey,
  addProject,
  spanIdOf,
  startTestCollector,
  type TestCollector,
  type TestCollectorOptions,
  traceIdOf,
  traceJson,
  until,
} from './collector.fixture.ts'

const running: TestCollector[] = []

async function start(options?: TestCollectorOptions): Promise<TestCollector> {
  const collector = await startTestCollector(options)
  running.push(collector)
  return collector
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((collector) => collector.stop()))
})

interface LogSpec {
  body?: string
  severity?: number
  trace?: number
  span?: number
  time?: string
  exception?: { type: string; message: string; stacktrace?: string }
  attributes?: Record<string, string>
}

const TIME = '1781856000000000000'

/** A request in OTLP/JSON, as a logging SDK of a service writes it. */
function logsJson(...logs: LogSpec[]): string {
  return JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: keyValues({ 'service.name': 'shop' }) },
        scopeLogs: [{ scope: { name: 'shop.pay' }, logRecords: logs.map(logJson) }],
      },
    ],
  })
}

function logJson({ body = 'no money', severity = 17, trace, span, time = TIME, exception, attributes = {} }: LogSpec) {
  const { type, message, stacktrace } = exception ?? {}
  const all = { ...attributes, ...(exception && { 'exception.type': type!, 'exception.message': message! }) }
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: severity,
    ...(trace !== undefined && { traceId: traceIdOf(trace) }),
    ...(span !== undefined && { spanId: spanIdOf(span) }),
    body: { stringValue: body },
    attributes: keyValues(stacktrace === undefined ? all : { ...all, 'exception.stacktrace': stacktrace }),
  }
}

function keyValues(attributes: Record<string, string>) {
  return Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }))
}

/** The same request as an SDK with protobuf writes it. */
function asProtobuf(json: string): Uint8Array {
  const { body } = transcodeLogsJson(Buffer.from(json), { jsonDepthMax: 300, jsonValuesMax: 1_000 })
  return encodeLogs([...decodeLogs(body)])
}

const sendLogs = async (collector: TestCollector, body: string | Uint8Array, options: { key?: string } = {}) => {
  const answer = await collector.send(body, { path: '/v1/logs', ...options })
  return { status: answer.status, text: answer.body.toString() }
}

const ledger = (collector: TestCollector) =>
  Object.fromEntries(
    collector.rows('select what, sum(count) as n from ledger group by what').map(({ what, n }) => [what, Number(n)]),
  )

/** Bodies of the kept records of a project, in order of arrival. */
const kept = (collector: TestCollector, projectNo = 1) =>
  collector
    .rows("select body, body_bytes from segment where kind = 'log' and project_no = ? order by first_commit", projectNo)
    .flatMap((row) => [...decodeLogsAsSpans(unpackSegment(row.body as Uint8Array, Number(row.body_bytes)))])
    .map(({ span }) => span.status.message)

const failures = (collector: TestCollector) =>
  collector.rows(
    'select f.service, f.operation, f.signal, f.template, count(*) as n from failure join fingerprint f using (fingerprint_no) group by 1, 2, 3, 4 order by 4',
  )

const decided = (collector: TestCollector) =>
  until('every trace to be decided', () => (collector.rows('select 1 from open_trace').length === 0 ? true : null))

const BOOM = { type: 'ValueError', message: 'amount must not be negative' }

describe('what becomes of log records', () => {
  test('those of errors are stored when they are acknowledged, the others are counted', async () => {
    const collector = await start()
    const body = logsJson({ body: 'kept' }, { severity: 9 }, { severity: 13, exception: BOOM, body: 'warned' }, { severity: 0 })
    const first = await sendLogs(collector, body)
    expect(first).toEqual({
      status: 200,
      text: expect.stringContaining('without an exception or an error severity are not kept'),
    })
    expect(kept(collector)).toEqual(['kept', 'warned'])
    expect(ledger(collector)).toEqual({ 'kept:logs': 2, 'not_kept:logs': 2 })
    expect(await sendLogs(collector, logsJson({ severity: 9 }))).toEqual({ status: 200, text: '{}' })
  })

  test('one that cannot be kept is refused alone', async () => {
    const collector = await start()
    const unfit = { ...logJson({ trace: 1 }), timeUnixNano: '-1' }
    const deep = { ...logJson({ trace: 2 }), body: JSON.parse('{"arrayValue":{"values":['.repeat(65) + ']}}'.repeat(65)) }
    const body = JSON.parse(logsJson({ body: 'kept' }))
    body.resourceLogs[0].scopeLogs[0].logRecords.push(unfit, deep)
    const { status, text } = await sendLogs(collector, JSON.stringify(body))
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { partialSuccess: { rejectedLogRecords: '2', errorMessage: 'time_out_of_range: 1; value_too_deep: 1' } },
    ])
    expect(kept(collector)).toEqual(['kept'])
    expect(ledger(collector)).toEqual({ 'kept:logs': 1, 'rejected:time_out_of_range': 1, 'rejected:value_too_deep': 1 })
  })

  test.each([
    ['JSON', '{"resourceLogs":[{'],
    ['protobuf', Uint8Array.of(0x0a, 0x05, 0x12)],
  ])('a malformed body in %s is refused whole', async (_, body) => {
    const collector = await start()
    expect((await sendLogs(collector, body)).status).toBe(400)
    expect(kept(collector)).toEqual([])
  })

  test('the same record is stored once: in either encoding, in other company, after a restart', async () => {
    const collector = await start()
    const one = logsJson({ trace: 1, attributes: { a: '1', b: '2' } })
    await sendLogs(collector, one)
    await sendLogs(collector, asProtobuf(one))
    await sendLogs(collector, logsJson({ body: 'other', trace: 1 }, { trace: 1, attributes: { b: '2', a: '1' } }))
    await collector.restart()
    await sendLogs(collector, one)
    await sendLogs(collector, logsJson({ body: 'lone' }))
    await collector.restart()
    await sendLogs(collector, asProtobuf(logsJson({ body: 'lone' })))
    expect(kept(collector)).toEqual(['no money', 'other', 'lone'])
    expect(ledger(collector)).toEqual({ 'kept:logs': 3, deduplicated: 4 })
  })

  test('a quota of spans is not touched, and does not stop them', async () => {
    const collector = await start({ quotaSpans: 2 })
    await sendLogs(collector, logsJson({ body: 'a' }, { body: 'b' }, { body: 'c' }))
    const spans = [1, 2, 3].map((n) => ({ traceId: traceIdOf(1), spanId: spanIdOf(n) }))
    const answer = await collector.send(traceJson(spans))
    expect(answer.json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } })
    await sendLogs(collector, logsJson({ body: 'd' }))
    expect(kept(collector)).toEqual(['a', 'b', 'c', 'd'])
    expect(collector.rows('select spans from accepted')).toEqual([{ spans: 2n }])
  })

  test('two projects that send the same record each have it', async () => {
    const collector = await start()
    const other = addProject(collector.control, { name: 'other' })
    addKey(collector.control, { key: 'lk_ingest_other', projectNo: other })
    await sendLogs(collector, logsJson({ trace: 1 }))
    await sendLogs(collector, logsJson({ trace: 1 }), { key: 'lk_ingest_other' })
    expect([kept(collector, 1), kept(collector, other)]).toEqual([['no money'], ['no money']])
    expect(collector.trace(traceIdOf(1), other)).toHaveLength(1)
  })

  test('secrets in bodies and attributes are overwritten and counted', async () => {
    const collector = await start()
    const secret = `ghp_${'a1B2'.repeat(9)}`
    await sendLogs(collector, logsJson({ body: `push with ${secret} failed`, attributes: { password: 'hunter2' } }))
    expect(kept(collector)).toEqual([`push with ghp_${'*'.repeat(36)} failed`])
    expect(ledger(collector)).toEqual({ 'kept:logs': 1, redacted: 2 })
  })

  test('a segment of log records is a request that can be sent anywhere, with the same ids', async () => {
    const collector = await start()
    await sendLogs(collector, logsJson({ trace: 1 }, { severity: 9 }, { body: 'lone' }))
    const [segment] = collector.rows("select body, body_bytes from segment where kind = 'log'")
    const body = unpackSegment(segment!.body as Uint8Array, Number(segment!.body_bytes))
    await sendLogs(collector, new Uint8Array(body))
    expect(ledger(collector)).toMatchObject({ 'kept:logs': 2, deduplicated: 2 })
  })
})

describe('which failures they make', () => {
  const span = (more: object) => traceJson([{ traceId: traceIdOf(1), spanId: spanIdOf(1), name: 'GET /pay', ...more }])
  const failing = span({ status: { code: 2, message: 'amount must not be negative' } })
  const log = logsJson({ trace: 1, span: 1, body: 'Failed to pay', exception: BOOM })
  const ways: [when: string, steps: (collector: TestCollector) => Promise<void>][] = [
    [
      'first',
      async (collector) => {
        await sendLogs(collector, log)
        await decided(collector)
        await collector.send(failing)
      },
    ],
    [
      'long after',
      async (collector) => {
        await collector.send(failing)
        await decided(collector)
        await sendLogs(collector, log)
      },
    ],
    [
      'together with it',
      async (collector) => {
        await Promise.all([collector.send(failing), sendLogs(collector, log)])
      },
    ],
  ]

  test.each(ways)('a log record that comes %s tells of its span’s failure, which is one', async (_, steps) => {
    const collector = await start()
    await steps(collector)
    await decided(collector)
    expect(failures(collector)).toEqual([
      { service: 'shop', operation: 'GET /pay', signal: 'error_status', template: 'amount must not be negative', n: 1n },
    ])
    expect(collector.rows('select sum(failures) as n from failure_count having sum(failures) <> 0')).toEqual([{ n: 1n }])
  })

  test('one on a healthy span fails in its operation, whichever comes first', async () => {
    for (const spanFirst of [true, false]) {
      const collector = await start()
      if (spanFirst) await collector.send(span({}))
      await sendLogs(collector, log)
      if (!spanFirst) await collector.send(span({}))
      await decided(collector)
      expect(failures(collector)).toEqual([
        { service: 'shop', operation: 'GET /pay', signal: 'exception', template: 'amount must not be negative', n: 1n },
      ])
    }
  })

  test('those without a trace are judged each for itself, and are one pain', async () => {
    const collector = await start()
    await sendLogs(
      collector,
      logsJson(...[1, 2, 3].map((n) => ({ body: `no money for order ${n}`, time: `178185600000000000${n}` }))),
    )
    await decided(collector)
    expect(failures(collector)).toEqual([
      { service: 'shop', operation: 'log shop.pay', signal: 'error_status', template: 'no money for order *', n: 3n },
    ])
    expect(collector.rows('select count(distinct trace_hash) as n from failure')).toEqual([{ n: 3n }])
    expect(collector.rows('select * from run_count')).toEqual([])
  })
})
