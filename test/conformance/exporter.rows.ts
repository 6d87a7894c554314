import { gzipSync } from 'node:zlib'
import { expect } from '@jest/globals'
import { attribute, fixed32, fixed64, int, join, len } from '@loopkit/shared/otlp/fixtures/wire-fields'
import { until } from '../harness/http.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { readHttpAnswer } from './answers.ts'
import {
  A,
  B,
  between,
  both,
  C,
  jsonSpan,
  NEIGHBOURS,
  oneSpan,
  oneValue,
  START,
  TRACE,
  wireBetween,
} from './bodies.ts'
import { type Payload, payloadRow } from './payload-row.ts'
import type { Row } from './rule-ids.ts'
import { type Stage, untilLedger } from './stage.ts'

const ID_BYTES = JSON.stringify([...Buffer.from(A, 'hex')])
const NANO_LOW = Number(BigInt.asIntN(32, BigInt(START)))
const NANO_HIGH = Number(BigInt(START) >> 32n)

const javascript: Payload[] = [
  {
    ids: ['X1', 'P3', 'E3'],
    name: 'what the SDK of JavaScript writes: bare integers, 1e+21, null for NaN, {} for undefined, a schema URL in the resource',
    json: `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"js"}}],"droppedAttributesCount":0,"schemaUrl":"x"},"scopeSpans":[{"scope":{"name":"s","version":""},"spans":[{"traceId":"$T","spanId":"${A}","name":"GET","kind":3,"startTimeUnixNano":"${START}","endTimeUnixNano":"${START}","flags":257,"attributes":[{"key":"n","value":{"intValue":7}},{"key":"big","value":{"intValue":1e+21}},{"key":"nan","value":{"doubleValue":null}},{"key":"none","value":{}}],"droppedAttributesCount":0,"events":[],"droppedEventsCount":0,"links":[{"attributes":[],"spanId":"${B}","traceId":"$T","droppedAttributesCount":0,"flags":769}],"droppedLinksCount":0,"status":{"code":0}}],"schemaUrl":"y"}]}]}`,
    stored: [
      {
        service: 'js',
        flags: 257,
        parent_span_id: null,
        attributes: { n: 7, big: 1e21, nan: null, none: null },
        links: [{ span_id: B }],
        scope: { schema_url: 'y' },
      },
    ],
  },
  {
    ids: ['X14'],
    name: 'an integer as a text is that integer',
    json: oneValue('{"intValue":"7"}'),
    stored: [{ attributes: { k: 7 } }],
  },
  {
    ids: ['X14'],
    name: 'attributes as a plain object',
    side: 'nobody’s specification; refusing them loses the spans of senders that are deployed',
    json: oneSpan('"attributes":{"text":"a","n":1,"d":0.5,"b":true,"list":[1,"x"],"deep":{"x":null},"__proto__":{"admin":true}}'),
    stored: [
      {
        attributes: JSON.parse('{"text":"a","n":1,"d":0.5,"b":true,"list":[1,"x"],"deep":{"x":null},"__proto__":{"admin":true}}'),
      },
    ],
  },
  ...[
    ['lists of bytes', (id: string) => JSON.stringify([...Buffer.from(id, 'hex')])],
    ['Buffers of Node as JSON writes them', (id: string) => JSON.stringify(Buffer.from(id, 'hex'))],
    ['objects of bytes by index', (id: string) => JSON.stringify({ ...Buffer.from(id, 'hex') })],
  ].map(
    ([what, write]): Payload => ({
      ids: ['X7', 'X14'],
      name: `ids as ${what} are those ids, in links too`,
      side: 'no specification knows them; senders with a protobuf library between JSON and the wire are deployed',
      json: oneSpan(
        `"parentSpanId":${(write as (id: string) => string)(B)},"links":[{"traceId":${(write as (id: string) => string)('ab'.repeat(16))},"spanId":${ID_BYTES}}]`,
      ).replace(`"spanId":"${A}"`, `"spanId":${(write as (id: string) => string)(A)}`),
      stored: [{ span_id: A, parent_span_id: B, links: [{ trace_id: 'ab'.repeat(16), span_id: A }] }],
    }),
  ),
  ...[
    ['too few bytes', '[1,2]'],
    ['numbers that are no bytes', '[256,1,1,1,1,1,1,-1]'],
    ['texts', '["a"]'],
    ['an empty object', '{}'],
    ['a length of 800 million', '{"length":8e8}'],
    ['a Buffer of another length', '{"type":"Buffer","data":[1]}'],
  ].map(
    ([what, id]): Payload => ({
      ids: ['X14', 'F2'],
      name: `a span id of ${what} rejects that span, its neighbours are stored`,
      json: between(`{"traceId":"${TRACE}","spanId":${id},"startTimeUnixNano":"${START}"}`),
      rejected: { id_unreadable: 1 },
      stored: NEIGHBOURS,
    }),
  ),
  ...[
    ['unsigned', { low: NANO_LOW, high: NANO_HIGH, unsigned: true }],
    ['signed', { low: NANO_LOW, high: NANO_HIGH, unsigned: false }],
    ['in two words without a sign', { low: NANO_LOW >>> 0, high: NANO_HIGH }],
  ].map(
    ([what, time]): Payload => ({
      ids: ['X14'],
      name: `times as Long objects, ${what}, are exact`,
      json: oneSpan(`"startTimeUnixNano":${JSON.stringify(time)},"endTimeUnixNano":${JSON.stringify(time)}`),
      stored: [{ start_unix_nano: START, end_unix_nano: START }],
    }),
  ),
  ...[
    '{"low":1}',
    '{"low":1.5,"high":0}',
    '{"low":"1","high":"0"}',
    '{"low":4294967296,"high":0}',
    '{"low":0,"high":-1,"unsigned":false}',
    '{"seconds":1}',
  ].map(
    (time): Payload => ({
      ids: ['X14', 'O12'],
      name: `a time of ${time} rejects that span, its neighbours are stored`,
      json: between(jsonSpan(`"startTimeUnixNano":${time}`, B)),
      rejected: { time_out_of_range: 1 },
      stored: NEIGHBOURS,
    }),
  ),
]

const others: Payload[] = [
  {
    ids: ['X7'],
    name: 'integers of 64 bits as texts, as Rust writes them',
    json: oneSpan('"attributes":[{"key":"i","value":{"intValue":"-9007199254740993"}}],"droppedAttributesCount":0,"flags":1'),
    stored: [{ attributes: { i: '-9007199254740993' }, flags: 1 }],
  },
  {
    ids: ['X8'],
    name: 'bytes in hex, as an option of C++ writes them, are the base64 that the same letters are',
    side: 'the specification says base64; hex cannot be told from it',
    json: oneValue('{"bytesValue":"deadbeef"}'),
    stored: [{ attributes: { k: 'deadbeef' } }],
  },
  {
    ids: ['X9'],
    name: 'names of enums, base64 ids without kinds, a number for a message',
    json: `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"$T","spanId":"${Buffer.from(A, 'hex').toString('base64')}","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":"${START}","status":{"code":"STATUS_CODE_ERROR","message":404}}]}]}]}`,
    stored: [{ span_id: A, span_kind: 3, status: { code: 2, message: '404' } }],
  },
  {
    ids: ['X9', 'D3'],
    name: 'hex in the bytes of protobuf ids rejects that span with a word of what is wrong',
    side: 'contract §3: in protobuf another length is no id; the Collector refuses the batch',
    wire: wireBetween((traceId) => join(len(1, Buffer.from(traceId).toString('hex')), len(2, B))),
    rejected: { trace_id_wrong_length: 1 },
    stored: NEIGHBOURS,
  },
  {
    ids: ['X14', 'P4'],
    name: 'the shape that Tempo answers with (batches) is taken for what it is',
    json: `{"batches":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"tempo"}}]},"scopeSpans":[{"spans":[${jsonSpan('"name":"replayed"')}]}]},{"instrumentationLibrarySpans":[{"spans":[${jsonSpan('"name":"old"', B)}]}]}]}`,
    stored: [{ service: 'tempo', name: 'replayed' }, { name: 'old' }],
  },
  {
    ids: ['X15'],
    name: 'kinds are not off by one, and integers as texts are not 0',
    both: both(
      ...[0, 1, 2, 3, 4, 5].map((kind) => ({
        kind,
        spanId: `${kind + 1}`.repeat(16),
        attributes: [{ key: 'i', value: { intValue: '12' } }],
      })),
    ),
    stored: [0, 1, 2, 3, 4, 5].map((span_kind) => ({ span_kind, attributes: { i: 12 } })),
  },
  {
    ids: ['X12', 'E6'],
    name: 'hundreds of flattened keys, and a prompt of 180 kB',
    both: both({
      attributes: [
        ...Array.from({ length: 250 }, (_, n) => ({
          key: `llm.input_messages.${n}.message.content`,
          value: { stringValue: `message ${n}` },
        })),
        { key: 'input.value', value: { stringValue: 'p'.repeat(181_584) } },
      ],
      droppedAttributesCount: 40,
    }),
    stored: [
      {
        attributes: {
          'llm.input_messages.249.message.content': 'message 249',
          'input.value': expect.stringMatching(/^p{32768}…\[148816 bytes cut\]$/),
        },
        dropped: { attributes: 40 },
      },
    ],
  },
]

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

/** X, P and their faults: what real exporters send, and what they need to hear. */
export const exporterRows: Row<Stage>[] = [
  ...[...javascript, ...others].map(payloadRow),
  ...wrongPaths,
  ...repeats,
  ...collectors,
]
