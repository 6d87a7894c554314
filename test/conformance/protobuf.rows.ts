import {
  attribute,
  fixed32,
  fixed64,
  group,
  int,
  join,
  len,
  requestOf,
  varintBytes,
} from '@loopkit/shared/otlp/fixtures/wire-fields'
import { A, B, C, END, hex, NEIGHBOURS, START, wireBetween, wireIds, wireSpan } from './bodies.ts'
import { type Payload, payloadRow } from './payload-row.ts'

const FIELD_NUMBER_MAX = 2 ** 29 - 1
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const times = join(fixed64(7, BigInt(START)), fixed64(8, BigInt(END)))
const text = (value: string): Uint8Array => len(1, value)

const read: Payload[] = [
  {
    ids: ['D1', 'O3'],
    name: 'unknown fields and groups, of every wire type and up to the largest number, at every level',
    wire: (traceId) => {
      const unknown = join(
        int(90, 2n ** 64n - 1n),
        fixed64(91, 1n),
        fixed32(92, 1),
        len(93, 'x'),
        group(94, group(95, len(96, 'y')), int(97, 1)),
        int(FIELD_NUMBER_MAX, 1),
        len(FIELD_NUMBER_MAX, 'z'),
      )
      const span = join(
        unknown,
        wireIds(traceId),
        len(5, 'known'),
        len(11, unknown, len(2, 'e')),
        len(13, unknown),
        len(15, unknown, int(3, 2)),
      )
      const value = attribute(9, 'k', join(text('v'), unknown))
      return join(
        unknown,
        len(1, unknown, len(1, unknown), len(2, unknown, len(1, unknown, len(1, 's')), len(2, span, value))),
        unknown,
      )
    },
    stored: [{ name: 'known', attributes: { k: 'v' }, scope: { name: 's' }, events: [{ name: 'e' }], status: { code: 2 } }],
  },
  {
    ids: ['D1'],
    name: 'of a scalar and of a oneof that come twice the last counts',
    wire: wireSpan(
      len(5, 'first'),
      len(5, 'last'),
      int(6, 1),
      int(6, 3),
      fixed64(7, 1n),
      times,
      attribute(9, 'k', join(text('first'), int(3, 7))),
    ),
    stored: [{ name: 'last', span_kind: 3, start_unix_nano: START, attributes: { k: 7 } }],
  },
  {
    ids: ['D1'],
    name: 'of an id that comes twice the last counts',
    wire: (traceId) => requestOf(join(len(1, hex('ff'.repeat(16))), len(2, hex(B)), wireIds(traceId), len(5, 'last'))),
    stored: [{ span_id: A, name: 'last' }],
  },
  {
    ids: ['D1', 'E8'],
    name: 'a resource, a scope and a status that come in pieces are one, and the pieces may come late',
    wire: (traceId) => {
      const spans = join(
        len(2, wireIds(traceId), len(15, int(3, 2)), len(15, len(2, 'why'))),
        len(1, len(1, 'scope')),
        len(1, len(2, '1.0')),
      )
      return len(
        1,
        len(2, spans),
        len(1, attribute(1, 'service.name', text('first'))),
        len(3, 'url'),
        len(1, attribute(1, 'b', text('2'))),
      )
    },
    stored: [
      {
        service: 'first',
        resource: { attributes: { 'service.name': 'first', b: '2' }, schema_url: 'url' },
        scope: { name: 'scope', version: '1.0' },
        status: { code: 2, message: 'why' },
      },
    ],
  },
  {
    ids: ['D1'],
    name: 'an attribute in pieces, its value before its key, is one',
    wire: wireSpan(len(9, len(2, text('v')), len(1, 'k'), len(2))),
    stored: [{ attributes: { k: 'v' } }],
  },
  {
    ids: ['D1'],
    name: 'a list that comes in pieces is one list',
    wire: wireSpan(attribute(9, 'k', join(len(5, len(1, text('a'))), len(5, len(1, text('b')))))),
    stored: [{ attributes: { k: ['a', 'b'] } }],
  },
  {
    ids: ['D1'],
    name: 'a known field of another wire type is an unknown one',
    side: 'how protobuf parsers read it; packed numbers are no field of OTLP traces, so a run of them is skipped likewise',
    wire: wireSpan(len(6, varintBytes(3)), int(5, 1), len(7, new Uint8Array(16)), len(5, 'known')),
    stored: [{ name: 'known', span_kind: 0, start_unix_nano: '0' }],
  },
  {
    ids: ['D1'],
    name: 'fields in any order, and numbers in more bytes than they need',
    wire: (traceId) => {
      const span = join(len(5, 'order'), int(6, 2), len(2, hex(A)), bytes(0x8a, 0x00, 0x90, 0x00), traceId)
      return len(1, len(2, bytes(0x92, 0x80, 0x00, 0x80 | span.length, 0x80, 0x00), span))
    },
    stored: [{ name: 'order' }],
  },
  {
    ids: ['D4'],
    name: 'flags of 32 bits',
    wire: wireSpan(fixed32(16, 0xffffffff), len(13, len(1, hex('ab'.repeat(16))), len(2, hex(B)), fixed32(6, 0x301))),
    stored: [{ flags: 4294967295, links: [{ span_id: B }] }],
  },
  {
    ids: ['D5'],
    name: 'a status with its reserved field',
    wire: wireSpan(len(15, int(1, 2), len(2, 'm'), int(3, 1))),
    stored: [{ status: { code: 1, message: 'm' } }],
  },
  {
    ids: ['D6', 'P4', 'X9'],
    name: 'spans in the place of before 2022 (field 1000) are stored',
    side: 'checklist; whoever skips the field loses them with a 200',
    wire: (traceId) => len(1, len(1000, len(1, len(1, 'old')), len(2, wireIds(traceId), len(5, 'old span')))),
    stored: [{ name: 'old span', scope: { name: 'old' } }],
  },
  {
    ids: ['D7'],
    name: 'references into the string table of profiles are values that are absent',
    wire: wireSpan(attribute(9, 'k', int(8, 3)), len(9, int(3, 5), len(2, text('v'))), len(5, 'strindex')),
    stored: [{ name: 'strindex', attributes: { k: null } }],
  },
  {
    ids: ['D8', 'O24'],
    name: 'texts that are no UTF-8 are shown with U+FFFD, their neighbours are stored',
    wire: wireSpan(
      len(5, bytes(0x61, 0xff, 0x62)),
      attribute(9, 'k', len(1, bytes(0xc3))),
      len(15, len(2, bytes(0xed, 0xa0, 0x80)), int(3, 2)),
    ),
    stored: [{ name: 'a\ufffdb', attributes: { k: '\ufffd' }, status: { code: 2, message: '\ufffd\ufffd\ufffd' } }],
  },
]

const ids: Payload[] = (
  [
    ['no trace id', (_) => len(2, hex(B)), 'trace_id_empty'],
    ['a trace id of 15 bytes', (_) => join(len(1, new Uint8Array(15).fill(1)), len(2, hex(B))), 'trace_id_wrong_length'],
    ['a trace id of 32 hex letters', (_) => join(len(1, 'ab'.repeat(16)), len(2, hex(B))), 'trace_id_wrong_length'],
    ['no span id', (traceId) => len(1, traceId), 'span_id_empty'],
    ['a span id of 16 hex letters', (traceId) => join(len(1, traceId), len(2, B)), 'span_id_wrong_length'],
    ['a span id of 7 bytes', (traceId) => join(len(1, traceId), len(2, new Uint8Array(7).fill(1))), 'span_id_wrong_length'],
    ['a parent id of 16 bytes', (traceId) => join(wireIds(traceId, B), len(4, traceId)), 'parent_id_wrong_length'],
  ] as [string, (traceId: Uint8Array) => Uint8Array, string][]
).map(([what, span, reason]) => ({
  ids: ['D3', 'F2', 'O6', 'O8', 'P3', 'X9'],
  name: `${what} rejects that span, its neighbours are stored`,
  side: 'contract §3; the Collector refuses the batch',
  wire: wireBetween(span),
  rejected: { [reason]: 1 },
  stored: NEIGHBOURS,
}))

const MALFORMED: [string, Uint8Array][] = [
  ['a length beyond the body', bytes(0x0a, 5, 1)],
  ['a length beyond its message', len(1, bytes(0x12, 5, 1))],
  ['a length of 2^32-1', bytes(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
  ['a length of 2^63', join(bytes(0x0a), new Uint8Array(9).fill(0xff), bytes(0x01))],
  ['a varint of 11 bytes', join(bytes(0x38), new Uint8Array(10).fill(0xff), bytes(1))],
  ['a varint that is cut off', bytes(0x38, 0xff)],
  ['field 0', bytes(0x02, 0)],
  ['field 0 in a span', requestOf(join(wireIds(hex('ab'.repeat(16))), bytes(0x02, 0)))],
  ['wire type 6', bytes(0x0e)],
  ['wire type 7', bytes(0x0f)],
  ['a group without end', bytes(0x3b, 0x08, 1)],
  ['the end of another group', bytes(0x3b, 0x44)],
  ['an end without a group', bytes(0x3c)],
  ['a time of seven bytes', requestOf(join(wireIds(hex('ab'.repeat(16))), bytes(0x39, 1, 2, 3, 4, 5, 6, 7)))],
  ['a value cut off in the middle of a span', requestOf(join(wireIds(hex('ab'.repeat(16))), len(9, len(2, bytes(0x0a, 9, 1)))))],
  ['text', Buffer.from('hello, world')],
]

const malformed: Payload[] = [
  ...MALFORMED.map(
    ([what, body]): Payload => ({
      ids: ['D2', 'O25', 'A15', 'B6'],
      name: `${what} is a 400`,
      wire: () => body,
      refused: 'malformed_protobuf',
    }),
  ),
  {
    ids: ['D2', 'O25'],
    name: '20,000 groups in each other are a 400',
    wire: () => new Uint8Array(20_000).fill(0x3b),
    refused: 'too_deep',
  },
  {
    ids: ['D2', 'O25'],
    name: 'a body that is sound up to its end stores nothing where its end is not',
    wire: (traceId) => join(requestOf(wireIds(traceId), wireIds(traceId, C)), bytes(0x0a, 0x05, 0x01)),
    refused: 'malformed_protobuf',
  },
]

/** D and its faults: what the protobuf encoding may look like; over HTTP and over gRPC. */
export const protobufRows = [...read, ...ids, ...malformed].map(payloadRow)
