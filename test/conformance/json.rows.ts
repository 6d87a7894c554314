import { A, B, between, jsonRequest, jsonSpan, NEIGHBOURS, oneSpan, oneValue, START, TRACE } from './bodies.ts'
import { type Payload, payloadRow } from './payload-row.ts'
import type { RuleId } from './rule-ids.ts'

const PADDED_TRACE = Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex').toString('base64')
const ZERO_TRACE = '0'.repeat(32)
const arrays = (levels: number): string =>
  `${'{"arrayValue":{"values":['.repeat(levels - 1)}{"stringValue":"deep"}${']}}'.repeat(levels - 1)}`
const kvlists = (levels: number): string =>
  `${'{"kvlistValue":{"values":[{"key":"k","value":'.repeat(levels - 1)}{"stringValue":"deep"}${'}]}}'.repeat(levels - 1)}`
const nested = (value: string): string => jsonSpan(`"attributes":[{"key":"k","value":${value}}]`, B)

/** A text that is kept as it was sent, found by it, and shown as it. */
const keptText = (what: string, text: string): Payload => ({
  ids: ['C1', 'O6', 'F2'],
  name: `${what} in JSON is kept as the text it is, and found by it`,
  side: 'contract §3; the checklist and the faults would reject the span',
  json: jsonRequest(`{"traceId":"${text}-${TRACE}","spanId":"${text}","name":"kept","startTimeUnixNano":"${START}"}`),
  asks: (traceId) => `${text}-${traceId}`,
  stored: [{ span_id: text, name: 'kept', attributes: {} }],
})

const ids: Payload[] = [
  {
    ids: ['C1', 'O7'],
    name: 'hex in capitals is the same id',
    json: oneSpan('"name":"x"').replace(A, A.toUpperCase()),
    stored: [{ span_id: A }],
  },
  {
    ids: ['C1', 'O7'],
    name: 'a trace id in capitals is found in small letters, and a parent and a link likewise',
    json: oneSpan(`"parentSpanId":"${B.toUpperCase()}","links":[{"traceId":"${'AB'.repeat(16)}","spanId":"${B.toUpperCase()}"}]`),
    stored: [{ parent_span_id: B, links: [{ trace_id: 'ab'.repeat(16), span_id: B }] }],
  },
  {
    ids: ['C1', 'O6', 'X9'],
    name: 'padded base64 of the right length is the id',
    json: jsonRequest(`{"traceId":"${PADDED_TRACE}","spanId":"${Buffer.from(A, 'hex').toString('base64')}","name":"php"}`),
    asks: () => '0af7651916cd43dd8448eb211c80319c',
    stored: [{ span_id: A, name: 'php' }],
  },
  keptText('an id of 31 hex digits', 'a'.repeat(31)),
  keptText('an id of 33 hex digits', 'b'.repeat(33)),
  keptText('an id that is no hex', 'abz1'),
  ...[
    ['an empty trace id', '"traceId":"","spanId":"b"', 'trace_id_empty'],
    ['no trace id', '"spanId":"b"', 'trace_id_empty'],
    ['a trace id of zeros', `"traceId":"${ZERO_TRACE}","spanId":"b"`, 'trace_id_zero'],
    ['an empty span id', `"traceId":"${TRACE}","spanId":""`, 'span_id_empty'],
    ['a span id of zeros', `"traceId":"${TRACE}","spanId":"${'0'.repeat(16)}"`, 'span_id_zero'],
  ].map(
    ([what, fields, reason]): Payload => ({
      ids: ['C1', 'O6', 'O8', 'F1'],
      name: `${what} in JSON rejects that span, its neighbours are stored`,
      json: between(`{${fields},"name":"b","startTimeUnixNano":"${START}"}`),
      rejected: { [reason!]: 1 },
      stored: NEIGHBOURS,
    }),
  ),
]

const names: Payload[] = [
  {
    ids: ['C2', 'O4'],
    name: 'snake_case keys are read as lowerCamelCase ones',
    side: 'contract §3; the specification calls them invalid',
    json: `{"resource_spans":[{"resource":{"attributes":[{"key":"service.name","value":{"string_value":"snake"}}]},"scope_spans":[{"scope":{"name":"s"},"spans":[{"trace_id":"$T","span_id":"${A}","parent_span_id":"${B}","trace_state":"a=b","name":"snake","start_time_unix_nano":"${START}","end_time_unix_nano":"${START}","dropped_attributes_count":3,"events":[{"time_unix_nano":"7","name":"e"}],"attributes":[{"key":"n","value":{"int_value":"7"}},{"key":"l","value":{"array_value":{"values":[{"bool_value":true}]}}}]}],"schema_url":"u"}]}]}`,
    stored: [
      {
        parent_span_id: B,
        service: 'snake',
        trace_state: 'a=b',
        attributes: { n: 7, l: [true] },
        events: [{ name: 'e', time_unix_nano: '7' }],
        dropped: { attributes: 3 },
        scope: { name: 's', schema_url: 'u' },
      },
    ],
  },
  {
    ids: ['C3', 'O5', 'X9'],
    name: 'enums by their names',
    json: oneSpan('"kind":"SPAN_KIND_SERVER","status":{"code":"STATUS_CODE_ERROR"}'),
    stored: [{ span_kind: 2, status: { code: 2 } }],
  },
  {
    ids: ['C3', 'O5'],
    name: 'an enum name that nobody knows is 0, and the span is stored',
    side: 'checklist; the Collector refuses the batch',
    json: oneSpan('"kind":"SPAN_KIND_NEW","status":{"code":"STATUS_CODE_NEW"}'),
    stored: [{ span_kind: 0, status: { code: 0 } }],
  },
  {
    ids: ['C3', 'E11'],
    name: 'an enum number that nobody knows is kept',
    json: oneSpan('"kind":42'),
    stored: [{ span_kind: 42 }],
  },
  {
    ids: ['C8', 'O3'],
    name: 'unknown fields are ignored wherever they stand',
    json: `{"new":[1],"resourceSpans":[{"new":{},"resource":{"new":null},"scopeSpans":[{"new":"x","scope":{"new":1},"spans":[${jsonSpan('"new":{"a":[{"b":[]}]},"name":"x","status":{"new":1},"events":[{"new":1}],"links":[{"new":1}]')}]}]}]}`,
    stored: [{ name: 'x' }],
  },
]

const numbers: Payload[] = [
  ...[
    ['"1544712660300000001"', 'text'],
    ['1544712660300000001', 'number'],
  ].map(
    ([time, as]): Payload => ({
      ids: ['C4', 'C5', 'O10'],
      name: `a time as a ${as} is exact to the nanosecond`,
      json: oneSpan(`"startTimeUnixNano":${time},"endTimeUnixNano":${time}`),
      stored: [{ start_unix_nano: '1544712660300000001', end_unix_nano: '1544712660300000001' }],
    }),
  ),
  {
    ids: ['C4'],
    name: 'counts of 32 bits as texts',
    json: oneSpan('"droppedEventsCount":"7","flags":"769","kind":"3"'),
    stored: [{ flags: 769, span_kind: 3, dropped: { events: 7 } }],
  },
  ...['-1', '"-1"', '"1e3"', '"0x10"', '" 12 "', '""', '"18446744073709551616"', '1.5', 'true'].map(
    (time): Payload => ({
      ids: ['C4', 'O12'],
      name: `a time of ${time} rejects its span, its neighbours are stored`,
      json: between(jsonSpan(`"startTimeUnixNano":${time}`, B)),
      rejected: { time_out_of_range: 1 },
      stored: NEIGHBOURS,
    }),
  ),
  ...[
    ['{"intValue":"9223372036854775807"}', '9223372036854775807'],
    ['{"intValue":"-9223372036854775808"}', '-9223372036854775808'],
    ['{"intValue":9007199254740993}', '9007199254740993'],
  ].map(
    ([value, shown]): Payload => ({
      ids: ['C4', 'E2', 'O16'],
      name: `${value} is exact, and shown as text beyond 2^53`,
      json: oneValue(value!),
      stored: [{ attributes: { k: shown } }],
    }),
  ),
  ...(
    [
      ['{"doubleValue":"NaN"}', 'NaN'],
      ['{"doubleValue":"Infinity"}', 'Infinity'],
      ['{"doubleValue":"-Infinity"}', '-Infinity'],
      ['{"doubleValue":"1.5"}', 1.5],
      ['{"doubleValue":-0.25e2}', -25],
      ['{"doubleValue":5}', 5],
      ['{"intValue":1e+21}', 1e21],
    ] as const
  ).map(
    ([value, shown]): Payload => ({
      ids: ['C6', 'O15'],
      name: `${value} is kept and shown as ${JSON.stringify(shown)}`,
      json: oneValue(value),
      stored: [{ attributes: { k: shown } }],
    }),
  ),
]

const values: Payload[] = [
  {
    ids: ['C7', 'P3'],
    name: 'null is the default everywhere',
    side: 'checklist; the Collector refuses the batch for a null number',
    json: `{"resourceSpans":[null,{"resource":null,"schemaUrl":null,"scopeSpans":[null,{"scope":null,"spans":[null,${jsonSpan('"name":null,"kind":null,"traceState":null,"parentSpanId":null,"flags":null,"droppedLinksCount":null,"status":null,"events":null,"links":[null],"attributes":[{"key":"d","value":{"doubleValue":null}},{"key":"i","value":{"intValue":null}},{"key":"b","value":{"boolValue":null}},{"key":"v","value":null},{"key":"l","value":{"arrayValue":{"values":[null,{"intValue":"1"}]}}},null]')}]}]}]}`,
    stored: [{ name: '', span_kind: 0, parent_span_id: null, attributes: { d: null, i: null, b: null, v: null, l: [null, 1] } }],
  },
  { ids: ['C7'], name: 'null for the list of envelopes is an empty request', json: '{"resourceSpans":null}' },
  ...['+/8=', '-_8=', '+/8', '-_8'].map(
    (text): Payload => ({
      ids: ['C9'],
      name: `bytes as ${text}`,
      json: oneValue(`{"bytesValue":"${text}"}`),
      stored: [{ attributes: { k: '+/8=' } }],
    }),
  ),
  {
    ids: ['C9', 'X8'],
    name: 'bytes that are no base64 are kept as text',
    json: oneValue('{"bytesValue":"not base64!"}'),
    stored: [{ attributes: { k: 'not base64!' } }],
  },
  {
    ids: ['C10', 'O17'],
    name: 'keys that mean something to JavaScript are data',
    json: oneSpan(
      '"attributes":[{"key":"__proto__","value":{"kvlistValue":{"values":[{"key":"admin","value":{"boolValue":true}}]}}},{"key":"constructor","value":{"stringValue":"c"}},{"key":"toString","value":{"stringValue":"t"}},{"key":"hasOwnProperty","value":{"stringValue":"h"}}]',
    ),
    stored: [{ attributes: JSON.parse('{"__proto__":{"admin":true},"constructor":"c","toString":"t","hasOwnProperty":"h"}') }],
  },
  {
    ids: ['C10', 'O23'],
    name: 'NUL and lone surrogates are shown as U+FFFD, everything else as sent',
    json: oneSpan(
      '"name":"a\\u0000b\\ud800c\\udc00d","attributes":[{"key":"k","value":{"stringValue":"\\u202eRTL \\u001b[31m \\ud83d\\ude00 😀"}}]',
    ),
    stored: [{ name: 'a\ufffdb\ufffdc\ufffdd', attributes: { k: '\u202eRTL \u001b[31m 😀 😀' } }],
  },
  {
    ids: ['C10', 'O28'],
    name: 'a byte order mark in front',
    json: `\ufeff${oneSpan('"name":"bom"')}`,
    stored: [{ name: 'bom' }],
  },
  ...[
    ['a comment', '{"resourceSpans":[]}//'],
    ['a comment inside', '{/* */"resourceSpans":[]}'],
    ['a trailing comma', '{"resourceSpans":[],}'],
    ['a trailing comma in a list', '{"resourceSpans":[{},]}'],
    ['the same key twice at the top', '{"resourceSpans":[],"resourceSpans":[]}'],
    ['a bare NaN', oneValue('{"doubleValue":NaN}')],
    ['something behind the end', '{"resourceSpans":[]} x'],
    ['a second value', '{}{}'],
    ['single quotes', "{'resourceSpans':[]}"],
    ['a leading zero', '{"x":01}'],
    ['a number alone', '1234'],
    ['a list alone', '[]'],
    ['null alone', 'null'],
    ['an unclosed text', '{"resourceSpans":["'],
    ['a raw control character in a text', '{"x":"a\u0001b"}'],
    ['spans that are no list', '{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}'],
    ['no body at all', ''],
  ].map(([what, json]): Payload => ({ ids: ['C10', 'A15', 'O28'], name: `${what} is a 400`, json, refused: 'malformed_json' })),
]

const depth: Payload[] = [
  ...[arrays, kvlists].map(
    (nest): Payload => ({
      ids: ['C11', 'O20'],
      name: `64 levels of ${nest.name} are stored`,
      json: oneValue(nest(64)),
      stored: [{ span_id: A }],
    }),
  ),
  ...[arrays(65), kvlists(65)].map(
    (value, at): Payload => ({
      ids: ['C11', 'O20'],
      name: `65 levels of ${at === 0 ? 'arrays' : 'kvlists'} reject that span, its neighbours are stored`,
      json: between(nested(value)),
      rejected: { value_too_deep: 1 },
      stored: NEIGHBOURS,
    }),
  ),
  ...[
    ['arrays that nobody asked for', `{"x":${'['.repeat(301)}${']'.repeat(301)}}`],
    ['10,000 levels in an attribute', oneValue(arrays(10_000))],
    ['ten million brackets', '['.repeat(10_000_000)],
    ['ten million objects', '{"a":'.repeat(2_000_000)],
  ].map(
    ([what, json], at): Payload => ({
      ids: ['C11', 'O20', 'O21'],
      name: `${what}: JSON deeper than 300 is a 400`,
      json,
      refused: at === 2 ? 'malformed_json' : 'too_deep',
    }),
  ),
  {
    ids: ['O21', 'O65'],
    name: 'more than four million values are a 400',
    json: `{"x":[${'0,'.repeat(4_000_001)}0]}`,
    refused: 'too_many_values',
  },
]

const noIds: RuleId[] = ['C8', 'P4']
const shapes: Payload[] = [
  {
    ids: [...noIds, 'X9'],
    name: 'instrumentationLibrarySpans and instrumentationLibrary are scopeSpans and scope',
    json: `{"resourceSpans":[{"instrumentationLibrarySpans":[{"instrumentationLibrary":{"name":"old","version":"1"},"spans":[${jsonSpan('"name":"old"')}]}]}]}`,
    stored: [{ name: 'old', scope: { name: 'old', version: '1' } }],
  },
]

/** C and its faults: what the JSON encoding may look like, and what becomes of it. */
export const jsonRows = [...ids, ...names, ...numbers, ...values, ...depth, ...shapes].map(payloadRow)
