import { expect } from '@jest/globals'
import { join, len } from '@loopkit/shared/otlp/fixtures/wire-fields'
import { A, B, between, both, jsonSpan, NEIGHBOURS, oneSpan, oneValue, START, TRACE, wireBetween } from './bodies.ts'
import { type Payload, payloadRow } from './payload-row.ts'
import type { Row } from './rule-ids.ts'
import type { Stage } from './stage.ts'

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

/** X and P: the bodies that real exporters write, in their own shapes. */
export const exporterShapeRows: Row<Stage>[] = [...javascript, ...others].map(payloadRow)
