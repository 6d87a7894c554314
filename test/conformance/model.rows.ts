import { expect } from '@jest/globals'
import { attribute, int, len, nestedValue, requestOf } from '@loopkit/shared/otlp/fixtures/wire-fields'
import { type AnyValueJson, type KeyValueJson, attribute as pair, type SpanJson, traceRequest } from '../harness/otlp-json.ts'
import { A, B, both, C, END, NEIGHBOURS, START, wireBetween, wireIds, wireSpan } from './bodies.ts'
import { type Payload, payloadRow } from './payload-row.ts'
import type { Row } from './rule-ids.ts'
import type { Stage } from './stage.ts'

const NANO_PER_MS = 1_000_000n
const DAY_MS = 86_400_000
const nanoIn = (ms: number): string => String(BigInt(Date.now() + ms) * NANO_PER_MS)

/** One attribute of every kind and what is shown of it. */
const VALUES: [name: string, value: AnyValueJson, shown: unknown][] = [
  ['the empty value', {}, null],
  ['the empty text', { stringValue: '' }, ''],
  ['false', { boolValue: false }, false],
  ['zero', { intValue: '0' }, 0],
  ['zero as a double', { doubleValue: 0 }, 0],
  ['an empty list', { arrayValue: {} }, []],
  ['an empty kvlist', { kvlistValue: {} }, {}],
  ['empty bytes', { bytesValue: '' }, ''],
  ['bytes', { bytesValue: 'AAEC/w==' }, 'AAEC/w=='],
  [
    'lists in a list',
    { arrayValue: { values: [{ arrayValue: { values: [{ intValue: '1' }] } }, { arrayValue: {} }] } },
    [[1], []],
  ],
  [
    'a list of mixed values',
    { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }, { boolValue: false }, {}, { doubleValue: 0.5 }] } },
    ['a', 1, false, null, 0.5],
  ],
  [
    'a kvlist in a list in a kvlist',
    {
      kvlistValue: {
        values: [
          {
            key: 'l',
            value: { arrayValue: { values: [{ kvlistValue: { values: [{ key: 'x', value: { stringValue: 'y' } }] } }] } },
          },
        ],
      },
    },
    { l: [{ x: 'y' }] },
  ],
  ['the smallest integer', { intValue: '-9223372036854775808' }, '-9223372036854775808'],
  ['the largest integer', { intValue: '9223372036854775807' }, '9223372036854775807'],
]

const values: Payload[] = [
  ...VALUES.map(([name, value, shown]): Payload => {
    const attributes: KeyValueJson[] = [{ key: 'k', value }]
    return {
      ids: name.endsWith('integer') ? ['E1', 'E2', 'O16', 'P12'] : ['E1', 'P12'],
      name: `${name} on span, event, link, resource and scope`,
      both: (traceId) => ({
        resourceSpans: [
          {
            resource: { attributes },
            scopeSpans: [
              {
                scope: { name: 's', attributes },
                spans: both({ attributes, events: [{ name: 'e', attributes }], links: [{ traceId, spanId: B, attributes }] })(
                  traceId,
                ).resourceSpans[0]!.scopeSpans[0]!.spans,
              },
            ],
          },
        ],
      }),
      stored: [
        {
          attributes: { k: shown },
          events: [{ attributes: { k: shown } }],
          links: [{ attributes: { k: shown } }],
          resource: { attributes: { k: shown } },
          scope: { attributes: { k: shown } },
        },
      ],
    }
  }),
  {
    ids: ['E1'],
    name: 'a key without a value is not the same as no key',
    both: both({ attributes: [{ key: 'present' }] }),
    stored: [{ attributes: { present: null } }],
  },
  {
    ids: ['E3', 'X1'],
    name: 'a key that is an integer here and a double there is a number in both',
    both: both(
      { attributes: [{ key: 'temperature', value: { intValue: 1 } }] },
      { spanId: B, attributes: [{ key: 'temperature', value: { doubleValue: 1.5 } }] },
    ),
    stored: [{ attributes: { temperature: 1 } }, { attributes: { temperature: 1.5 } }],
  },
  {
    ids: ['E4', 'O18'],
    name: 'of a key that comes twice the last is shown',
    both: both({ attributes: [pair('k', 'first'), pair('other', 'x'), pair('k', 'last')] }),
    stored: [{ attributes: { k: 'last', other: 'x' } }],
  },
]

const parts: Payload[] = [
  {
    ids: ['E5'],
    name: 'links without ids, with attributes, state, flags and counts',
    json: `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"$T","spanId":"${A}","links":[{},{"traceId":"","spanId":"","traceState":"a=b","flags":257,"droppedAttributesCount":2,"attributes":[{"key":"k","value":{"stringValue":"v"}}]}]}]}]}]}`,
    wire: wireSpan(len(13), len(13, len(1), len(2), len(3, 'a=b'), attribute(4, 'k', len(1, 'v')), int(5, 2))),
    stored: [
      {
        links: [
          { trace_id: '', span_id: '' },
          { trace_id: '', trace_state: 'a=b', attributes: { k: 'v' } },
        ],
      },
    ],
  },
  {
    ids: ['E5'],
    name: 'events without name or time, before and after their span',
    both: both({
      events: [
        {},
        { name: '', timeUnixNano: '0' },
        { name: 'early', timeUnixNano: '1' },
        { name: 'late', timeUnixNano: '9000000000000000000' },
      ],
    }),
    stored: [
      {
        events: [
          { name: '', time_unix_nano: '0' },
          { name: '', time_unix_nano: '0' },
          { name: 'early', time_unix_nano: '1' },
          { name: 'late', time_unix_nano: '9000000000000000000' },
        ],
      },
    ],
  },
  {
    ids: ['E6'],
    name: 'what the sender dropped is kept',
    both: both({ droppedAttributesCount: 4294967295, droppedEventsCount: 2, droppedLinksCount: 3 }),
    stored: [{ dropped: { attributes: 4294967295, events: 2, links: 3 } }],
  },
  {
    ids: ['E7', 'D4'],
    name: 'trace state and flags as sent',
    both: both({ traceState: 'ot=th:0,vendor=x y', flags: 769 }),
    stored: [{ trace_state: 'ot=th:0,vendor=x y', flags: 769 }],
  },
  {
    ids: ['E8', 'X1'],
    name: 'schema URLs of resource and scope; one inside the resource is nothing',
    json: `{"resourceSpans":[{"resource":{"attributes":[],"schemaUrl":"inside"},"schemaUrl":"of-resource","scopeSpans":[{"schemaUrl":"of-scope","spans":[{"traceId":"$T","spanId":"${A}"}]}]}]}`,
    wire: (traceId) =>
      len(1, len(1, len(9, 'inside')), len(2, len(2, wireIds(traceId)), len(3, 'of-scope')), len(3, 'of-resource')),
    stored: [{ resource: { schema_url: 'of-resource' }, scope: { schema_url: 'of-scope' } }],
  },
  {
    ids: ['E9'],
    name: 'entity references of a resource hurt nothing',
    json: `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"e"}}],"entityRefs":[{"schemaUrl":"u","type":"service","idKeys":["service.name"],"descriptionKeys":[]}]},"scopeSpans":[{"spans":[{"traceId":"$T","spanId":"${A}"}]}]}]}`,
    wire: (traceId) =>
      len(
        1,
        len(1, attribute(1, 'service.name', len(1, 'e')), len(3, len(1, 'u'), len(2, 'service'), len(3, 'service.name'))),
        len(2, len(2, wireIds(traceId))),
      ),
    stored: [{ service: 'e' }],
  },
  {
    ids: ['E10'],
    name: 'no resource, no scope, empty lists, and the same resource again',
    json: `{"resourceSpans":[{},{"scopeSpans":[]},{"scopeSpans":[{}]},{"scopeSpans":[{"spans":[]}]},{"scopeSpans":[{"spans":[{"traceId":"$T","spanId":"${A}"}]}]},{"resource":{},"scopeSpans":[{"spans":[{"traceId":"$T","spanId":"${B}"}]}]},{"resource":{},"scopeSpans":[{"spans":[{"traceId":"$T","spanId":"${C}"}]}]}]}`,
    wire: (traceId) =>
      Buffer.concat([
        len(1),
        len(1, len(2)),
        len(1, len(1), len(2, len(1))),
        requestOf(wireIds(traceId)),
        len(1, len(1), len(2, len(2, wireIds(traceId, B)))),
        len(1, len(1), len(2, len(2, wireIds(traceId, C)))),
      ]),
    stored: [{ span_id: A }, { span_id: B }, { span_id: C }],
  },
]

const spans: Payload[] = [
  {
    ids: ['E11', 'F9'],
    name: 'kind 0 and kinds and codes that nobody knows are kept',
    both: both({ kind: 0 }, { spanId: B, kind: 99, status: { code: 7, message: 'm' } }),
    stored: [{ span_kind: 0 }, { span_kind: 99, status: { code: 7, message: 'm' } }],
  },
  {
    ids: ['E12', 'P11', 'O46'],
    name: 'the same span twice in one body is one span',
    both: both({ name: 'same' }, { name: 'same' }),
    stored: [{ name: 'same' }],
  },
  ...[
    ['a trace id of zeros', (): Partial<SpanJson> => ({ traceId: '0'.repeat(32) }), 'trace_id_zero'],
    ['a span id of zeros', (): Partial<SpanJson> => ({ spanId: '0'.repeat(16) }), 'span_id_zero'],
    ['an empty trace id', (): Partial<SpanJson> => ({ traceId: '' }), 'trace_id_empty'],
    ['an empty span id', (): Partial<SpanJson> => ({ spanId: '' }), 'span_id_empty'],
  ].map(
    ([what, change, reason]): Payload => ({
      ids: ['F1', 'O8', 'P3'],
      name: `${what} rejects that span, its neighbours are stored`,
      both: both({ name: 'a' }, { spanId: B, ...(change as () => Partial<SpanJson>)() }, { spanId: C, name: 'c' }),
      rejected: { [reason as string]: 1 },
      stored: NEIGHBOURS,
    }),
  ),
  {
    ids: ['F3'],
    name: 'a parent of zeros is none',
    both: both({ parentSpanId: '0'.repeat(16) }),
    stored: [{ parent_span_id: null }],
  },
  {
    ids: ['F4', 'O9'],
    name: 'a span that is its own parent is stored and shown',
    both: both({ parentSpanId: A, status: { code: 2, message: 'own parent' } }),
    stored: [{ span_id: A, parent_span_id: A }],
  },
  {
    ids: ['F4', 'O9'],
    name: 'spans that are each other’s parents are stored and shown',
    both: both(
      { parentSpanId: B, status: { code: 2, message: 'round' } },
      { spanId: B, parentSpanId: A, status: { code: 2, message: 'round' } },
    ),
    stored: [{ parent_span_id: B }, { parent_span_id: A }],
  },
  {
    ids: ['F5', 'O14'],
    name: 'an end before the start is kept and flagged',
    both: both({ startTimeUnixNano: END, endTimeUnixNano: START }),
    stored: [{ start_unix_nano: END, end_unix_nano: START, clock_suspect: true }],
  },
  {
    ids: ['F5'],
    name: 'no end is a span that runs',
    both: both({ endTimeUnixNano: '0' }),
    stored: [{ end_unix_nano: null, clock_suspect: false }],
  },
  {
    ids: ['F6', 'O13'],
    name: 'a start of 0 is kept and flagged',
    both: both({ startTimeUnixNano: '0' }),
    stored: [{ start_unix_nano: '0', clock_suspect: true }],
  },
  { ids: ['F7'], name: 'an empty name is kept', both: both({ name: '' }), stored: [{ name: '' }] },
  ...[
    ['microseconds', '1781856000000000'],
    ['milliseconds', '1781856000000'],
    ['the year 1970', '1000000000'],
    ['the year 2554', '18446744073709551615'],
    ['a day ahead', nanoIn(DAY_MS)],
  ].map(
    ([what, time]): Payload => ({
      ids: ['F8', 'O13'],
      name: `a time in ${what} is kept and flagged`,
      both: both({ startTimeUnixNano: time, endTimeUnixNano: time }),
      stored: [{ start_unix_nano: time, end_unix_nano: time, clock_suspect: true }],
    }),
  ),
  ...['9223372036854775808', '18446744073709551615'].map(
    (time): Payload => ({
      ids: ['E2', 'O11', 'P8'],
      name: `a time of ${time} is stored as sent, and its neighbours are`,
      both: both({ name: 'a' }, { spanId: B, startTimeUnixNano: time, endTimeUnixNano: time }, { spanId: C, name: 'c' }),
      stored: [{ span_id: A }, { span_id: B, start_unix_nano: time, end_unix_nano: time, clock_suspect: true }, { span_id: C }],
    }),
  ),
  {
    ids: ['O13'],
    name: 'a start in the past is nothing to wonder at',
    both: both({ startTimeUnixNano: nanoIn(-300 * DAY_MS), endTimeUnixNano: nanoIn(-300 * DAY_MS + 1) }),
    stored: [{ clock_suspect: false }],
  },
  ...[33, 64].map(
    (levels): Payload => ({
      ids: ['O20'],
      name: `${levels} levels in an attribute are stored`,
      wire: wireSpan(attribute(9, 'deep', nestedValue(levels, 'array')), attribute(9, 'kv', nestedValue(levels, 'kvlist'))),
      stored: [{ span_id: A }],
    }),
  ),
  ...[65, 3_000].map(
    (levels): Payload => ({
      ids: ['O20', 'C11'],
      name: `${levels} levels reject that span, its neighbours are stored`,
      wire: wireBetween((traceId) => Buffer.concat([wireIds(traceId, B), attribute(9, 'deep', nestedValue(levels, 'array'))])),
      rejected: { value_too_deep: 1 },
      stored: NEIGHBOURS,
    }),
  ),
]

const TEXTS = {
  'a zero byte': ['a\0b', 'a\ufffdb'],
  'right to left': ['\u202eevil\u202c', '\u202eevil\u202c'],
  'escapes of a terminal': ['\u001b[31mred\u001b[0m', '\u001b[31mred\u001b[0m'],
  'four bytes a letter': ['😀 𝕊', '😀 𝕊'],
  'a byte order mark inside': ['a\ufeffb', 'a\ufeffb'],
} as const

const texts: Payload[] = Object.entries(TEXTS).map(([what, [text, shown]]) => ({
  ids: ['O23'],
  name: `${what} in name, message, service and attributes is stored as sent and found again`,
  both: (traceId) => {
    const request = traceRequest(
      text,
      both({ name: text, status: { code: 2, message: text }, attributes: [pair(text, text), pair('session.id', text)] })(traceId)
        .resourceSpans[0]!.scopeSpans[0]!.spans,
    )
    return request
  },
  stored: [{ name: shown, service: shown, status: { message: shown }, attributes: { [shown]: shown }, session_id: shown }],
}))

const LARGE_KEY_CHARACTERS = 1024 ** 2
const LARGE_VALUE_CHARACTERS = 8 * 1024 ** 2
const SHOWN_KEY_BYTES = 1024
const SHOWN_VALUE_BYTES = 32 * 1024

const large: Payload[] = [
  {
    ids: ['O19'],
    name: 'of 10,000 attributes 256 are shown and the rest is counted',
    both: both({ attributes: Array.from({ length: 10_000 }, (_, n) => pair(`k${n}`, n)) }),
    stored: [{ attributes: { k0: 0, k255: 255 }, shown_cut: { attributes: 9_744 } }],
  },
  {
    ids: ['O19'],
    name: 'of a key of 1 MB and a value of 8 MB the beginning is shown',
    both: both({ attributes: [pair('k'.repeat(LARGE_KEY_CHARACTERS), 1), pair('v', 'v'.repeat(LARGE_VALUE_CHARACTERS))] }),
    stored: [
      {
        attributes: {
          [`${'k'.repeat(SHOWN_KEY_BYTES)}…[${LARGE_KEY_CHARACTERS - SHOWN_KEY_BYTES} bytes cut]`]: 1,
          v: `${'v'.repeat(SHOWN_VALUE_BYTES)}…[${LARGE_VALUE_CHARACTERS - SHOWN_VALUE_BYTES} bytes cut]`,
        },
        shown_cut: { values: 2 },
      },
    ],
  },
  {
    ids: ['E5'],
    name: 'of 5,000 events and as many links 1,000 are shown and the rest is counted',
    both: (traceId) =>
      both({
        events: Array.from({ length: 5_000 }, (_, n) => ({ name: `e${n}`, timeUnixNano: String(n) })),
        links: Array.from({ length: 5_000 }, () => ({ traceId, spanId: B })),
      })(traceId),
    stored: [{ shown_cut: { events: 4_000, links: 4_000 } }],
  },
]

const MANY_SPANS = 200_000

/** What needs more than one body, or more than one look. */
const flows: Row<Stage>[] = [
  {
    ids: ['O22'],
    name: '200,000 spans in one request are stored and counted',
    timeoutMs: 60_000,
    run: async (stage) => {
      const before = await stage.ledger()
      const traceId = stage.newTraceId()
      const one = len(2, wireIds(Buffer.from(traceId, 'hex'), '0'.repeat(16)))
      const many = Buffer.alloc(one.length * MANY_SPANS, one)
      for (let n = 0; n < MANY_SPANS; n++) many.writeUInt32BE(n + 1, (n + 1) * one.length - 4)
      const answer = await stage.post(len(1, len(2, many)))
      expect([answer.status, answer.text]).toEqual([200, ''])
      expect((await stage.ledger()).accepted - before.accepted).toBe(MANY_SPANS)
    },
  },
]

/** E and F: what a span may hold, and what becomes of one that is wrong; each in both encodings and over both protocols. */
export const modelRows = [...[...values, ...parts, ...spans, ...texts, ...large].map(payloadRow), ...flows]
