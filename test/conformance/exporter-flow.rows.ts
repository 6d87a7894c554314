import { gzipSync } from 'node:zlib'
import { expect } from '@jest/globals'
import { attribute, fixed32, fixed64, int, join, len } from '@loopkit/shared/otlp/fixtures/wire-fields'
import { until } from '../harness/http.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { readHttpAnswer } from './answers.ts'
import { A, B, between, both, C, hex, NEIGHBOURS, oneSpan, START, TRACE } from './bodies.ts'
import type { Row } from './rule-ids.ts'
import { type Stage, untilLedger } from './stage.ts'

const LOG_RECORD = join(
  fixed64(1, BigInt(START)),
  int(2, 17),
  len(3, 'ERROR'),
  len(5, len(1, 'payment failed')),
  attribute(6, 'k', len(1, 'v')),
  fixed32(8, 1),
  fixed64(11, BigInt(START)),
)
const METRIC = join(len(1, 'requests'), len(2, 'how many'), len(3, '1'), len(5, len(1, fixed64(3, BigInt(START)))))

/** What was meant for another path. */
const wrongPaths: Row<Stage>[] = [
  ...(
    [
      ['log records', len(1, len(2, len(2, LOG_RECORD), len(2, LOG_RECORD))), 2, /\/v1\/logs/],
      ['metrics', len(1, len(2, len(2, METRIC))), 1, /./],
    ] as const
  ).map(
    ([what, body, count, hint]): Row<Stage> => ({
      ids: ['P4', 'C8', 'X14'],
      name: `${what} that come to the traces as protobuf are refused one by one, with a hint`,
      run: async (stage) => {
        for (const said of [readHttpAnswer(await stage.post(body), 'protobuf')]) {
          expect(said).toMatchObject({ status: 200, rejected: count })
          expect(said.message).toMatch(hint)
        }
      },
    }),
  ),
  ...(['resourceLogs', 'resourceMetrics', 'resource_logs'] as const).map(
    (key): Row<Stage> => ({
      ids: ['P4', 'X14'],
      name: `${key} in JSON that come to the traces are a success with a hint, since unknown fields must be ignored`,
      run: async (stage) => {
        const said = readHttpAnswer(
          await stage.post(`{"${key}":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`),
          'json',
        )
        expect(said).toMatchObject({ status: 200, rejected: 0 })
        expect(said.message).toMatch(/\/v1\/(logs|metrics)/)
      },
    }),
  ),
  {
    ids: ['P4', 'X14'],
    name: 'spans in JSON that come to the logs are a success with a hint',
    run: async (stage) => {
      const said = await stage.post(oneSpan('"name":"x"').replaceAll(TRACE, stage.newTraceId()), {}, '/v1/logs')
      expect([said.status, said.json()]).toEqual([
        200,
        { partialSuccess: { errorMessage: expect.stringMatching(/\/v1\/traces/) } },
      ])
    },
  },
  {
    ids: ['P6', 'A1', 'X11'],
    name: 'a log record of an error is a record, every other one is taken and not kept',
    run: async (stage) => {
      for (const encoding of ['json', 'protobuf'] as const) {
        const traceId = stage.newTraceId()
        const record = (severity: number, text: string) =>
          join(fixed64(1, BigInt(START)), int(2, severity), len(5, len(1, text)), len(9, hex(traceId)), len(10, hex(A)))
        const asJson = (severity: number, text: string) =>
          `{"timeUnixNano":"${START}","severityNumber":${severity},"body":{"stringValue":"${text}"},"traceId":"${traceId}","spanId":"${A}"}`
        const body =
          encoding === 'json'
            ? `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${asJson(9, 'fine')},${asJson(17, 'payment failed')}]}]}]}`
            : len(1, len(2, len(2, record(9, 'fine')), len(2, record(17, 'payment failed'))))
        expect((await stage.post(body, {}, '/v1/logs')).status).toBe(200)
        expect((await stage.post(body, {}, '/v1/logs')).status).toBe(200)
        const records = await stage.records(traceId)
        expect(records).toMatchObject([{ kind: 'log', trace_id: traceId }])
        expect(JSON.stringify(records)).toContain('payment failed')
      }
    },
  },
  {
    ids: ['P4', 'X14'],
    name: 'log records without ids among spans in JSON are refused alone, with a hint',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const body = between(`{"timeUnixNano":"${START}","severityNumber":17,"body":{"stringValue":"x"}}`).replaceAll('$T', traceId)
      const said = readHttpAnswer(await stage.post(body), 'json')
      expect(said).toMatchObject({ status: 200, rejected: 1, message: expect.stringMatching(/\/v1\/logs/) })
      expect(await stage.records(traceId)).toMatchObject(NEIGHBOURS)
    },
  },
  {
    ids: ['X13', 'O26'],
    name: 'whoever declares protobuf and sends JSON is told that it looks like JSON',
    run: async (stage) => {
      const said = readHttpAnswer(
        await stage.post('{"resourceSpans":[]}', { 'content-type': 'application/x-protobuf' }),
        'protobuf',
      )
      expect(said).toMatchObject({ status: 400, message: expect.stringMatching(/JSON/) })
    },
  },
]

/** Sends a span and then another version of it; only what `shown` says remains. */
const twice = (name: string, ids: Row<Stage>['ids'], first: object, second: object, shown: object): Row<Stage> => ({
  ids,
  name,
  run: async (stage) => {
    for (const encode of [JSON.stringify, encodeTraceRequest] as ((request: object) => string | Uint8Array)[]) {
      const traceId = stage.newTraceId()
      const before = await stage.ledger()
      for (const span of [first, second]) {
        const answer = await stage.post(encode(both(span)(traceId)))
        expect([answer.status, answer.text === '{}' || answer.text === '']).toEqual([200, true])
      }
      expect(await stage.records(traceId)).toMatchObject([shown])
      const after = await stage.ledger()
      expect(after.accepted - before.accepted).toBe(1)
    }
  },
})

const repeats: Row<Stage>[] = [
  twice(
    'a span that runs is replaced by itself when it has ended',
    ['X2', 'P7', 'E12', 'O47'],
    { endTimeUnixNano: '0', name: 'running' },
    { name: 'ended' },
    { name: 'ended', end_unix_nano: '1781856000005000000' },
  ),
  twice(
    'an ended span is not replaced by what it was before',
    ['X2', 'P7', 'O47'],
    { name: 'ended' },
    { endTimeUnixNano: '0', name: 'running' },
    { name: 'ended' },
  ),
  twice(
    'of two ended spans that differ the first stays',
    ['O47', 'E12'],
    { name: 'first' },
    { name: 'second' },
    { name: 'first' },
  ),
  twice(
    'of two that have not ended the first stays',
    ['O47'],
    { endTimeUnixNano: '0', name: 'first' },
    { endTimeUnixNano: '0', name: 'second' },
    { name: 'first' },
  ),
  {
    ids: ['P11', 'O46', 'X3'],
    name: 'the same request ten times at once is answered ten times and stored once',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const before = await stage.ledger()
      const body = encodeTraceRequest(both({ name: 'a' }, { spanId: B }, { spanId: C })(traceId))
      const answers = await Promise.all(Array.from({ length: 10 }, () => stage.post(body)))
      expect(answers.map(({ status, text }) => [status, text])).toEqual(Array(10).fill([200, '']))
      const after = await untilLedger(stage, 'the copies', ({ deduplicated }) => deduplicated - before.deduplicated === 27)
      expect(after.accepted - before.accepted).toBe(3)
      expect(await stage.records(traceId)).toHaveLength(3)
    },
  },
  {
    ids: ['O48'],
    name: 'the same trace id in two projects is two traces, and neither sees the other',
    run: async (stage) => {
      const other = await stage.product.provision('somebody else')
      const traceId = stage.newTraceId()
      const send = (name: string, key: string) =>
        stage.post(encodeTraceRequest(both({ name })(traceId)), { authorization: `Bearer ${key}` })
      expect((await send('mine', stage.keys.producer_key)).status).toBe(200)
      expect((await send('theirs', other.producer_key)).status).toBe(200)
      expect(await stage.records(traceId)).toMatchObject([{ name: 'mine' }])
    },
  },
  {
    ids: ['O49'],
    name: 'a trace in fifty requests, its root last, is one trace',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const spanId = (n: number) => n.toString(16).padStart(16, '0')
      for (let n = 50; n > 0; n--)
        await stage.post(
          encodeTraceRequest(
            both({ spanId: spanId(n), parentSpanId: n === 1 ? '' : spanId(n - 1), status: { code: n === 50 ? 2 : 0 } })(traceId),
          ),
        )
      const records = await stage.records(traceId)
      expect(records.map(({ parent_span_id }) => parent_span_id)).toEqual([
        null,
        ...Array.from({ length: 49 }, (_, n) => spanId(n + 1)),
      ])
      expect(new Set(records.map(({ session_id }) => session_id))).toEqual(new Set([traceId]))
    },
  },
]

const collectors: Row<Stage>[] = [
  {
    ids: ['X10', 'A25', 'B9'],
    name: 'ten batches of 8,192 spans at once, compressed, as the Collector sends them',
    timeoutMs: 60_000,
    run: async (stage) => {
      const before = await stage.ledger()
      const bodies = Array.from({ length: 10 }, () => {
        const traceId = stage.newTraceId()
        return gzipSync(
          encodeTraceRequest(
            both(...Array.from({ length: 8_192 }, (_, n) => ({ spanId: (n + 1).toString(16).padStart(16, '0') })))(traceId),
          ),
          { level: 1 },
        )
      })
      const answers = await Promise.all(bodies.map((body) => stage.post(body, { 'content-encoding': 'gzip' })))
      for (const answer of answers) {
        expect(readHttpAnswer(answer, 'protobuf')).toEqual({ status: 200, code: 0, rejected: 0, message: '' })
        expect(answer.headers.get('content-type')).toBe('application/x-protobuf')
      }
      expect((await stage.ledger()).accepted - before.accepted).toBe(81_920)
    },
  },
  {
    ids: ['X6', 'X5', 'X7', 'P2'],
    name: 'answers hold nothing that strict readers would stumble over, and errors are a Status in the encoding of the request',
    run: async (stage) => {
      expect((await stage.post('{}')).text).toBe('{}')
      expect((await stage.post(new Uint8Array(0))).bytes).toHaveLength(0)
      expect(Object.keys((await stage.post('[')).json())).toEqual(expect.arrayContaining(['code', 'message']))
      expect(readHttpAnswer(await stage.post(new Uint8Array([0x0a])), 'protobuf')).toMatchObject({ status: 400, code: 3 })
    },
  },
  {
    ids: ['A15'],
    name: 'a body that cannot be read is a 400 whose Status has a BadRequest in its details',
    run: async (stage) => {
      expect((await stage.post('[')).json()).toMatchObject({
        code: 3,
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.BadRequest',
            fieldViolations: [{ description: expect.stringMatching(/./) }],
          },
        ],
      })
      expect(Buffer.from((await stage.post(new Uint8Array([0x0a]))).bytes).toString('latin1')).toContain(
        'type.googleapis.com/google.rpc.BadRequest',
      )
    },
  },
  {
    ids: ['P6', 'X11'],
    name: 'a word about what is not kept comes once, every other answer is plain',
    run: async (stage) => {
      const metrics = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}'
      const said: string[] = []
      for (let n = 0; n < 3; n++) {
        const answer = await stage.post(metrics, {}, '/v1/metrics')
        expect(answer.status).toBe(200)
        said.push(answer.text)
      }
      expect(said.filter((text) => text !== '{}').length).toBeLessThanOrEqual(1)
      expect(said.at(-1)).toBe('{}')
    },
  },
  {
    ids: ['X16', 'P4'],
    name: 'what is refused is told in the log with its reason and its sender',
    run: async (stage) => {
      await stage.post(encodeTraceRequest(both({ spanId: '' })(stage.newTraceId())), { 'user-agent': 'conformance/1' })
      await until(
        'the line',
        () =>
          /span_id_empty[\s\S]{0,400}conformance\/1|conformance\/1[\s\S]{0,400}span_id_empty/.test(stage.product.output())
            ? true
            : null,
        15_000,
        200,
      )
    },
  },
]

/** P and X: what comes to the wrong place, comes again, or comes at once, and what the sender hears. */
export const exporterFlowRows: Row<Stage>[] = [...wrongPaths, ...repeats, ...collectors]
