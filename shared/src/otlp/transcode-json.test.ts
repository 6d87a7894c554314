import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OtlpDecodeError } from './decode-error.ts'
import { decodeTraces } from './decode-traces.ts'
import { encodeTraces } from './encode-traces.ts'
import { arbitrarilyDamaged, arbitraryRequest } from './fixtures/arbitrary-spans.ts'
import { toJson } from './fixtures/json-spans.ts'
import { parseSpanId, parseTraceId, toHex } from './ids.ts'
import type { OtlpSpan, OtlpValue, SpanInContext } from './model.ts'
import { REJECT_REASONS, scanTraces } from './scan-traces.ts'
import { type TranscodedTraces, transcodeTracesJson } from './transcode-json.ts'

const limits = { jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const IDS = `"traceId":"${TRACE}","spanId":"b7ad6b7169203331"`

function transcode(json: string | Uint8Array): TranscodedTraces {
  return transcodeTracesJson(typeof json === 'string' ? Buffer.from(json) : json, limits)
}

function decode(json: string | Uint8Array): SpanInContext[] {
  return [...decodeTraces(transcode(json).body)]
}

function requestOf(...spans: string[]): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join(',')}]}]}]}`
}

/** The span of these fields besides ids. */
function spanOf(fields: string): OtlpSpan {
  return decode(requestOf(`{${IDS},${fields}}`))[0]!.span
}

function valueOfJson(json: string): OtlpValue | undefined {
  return spanOf(`"attributes":[{"key":"k","value":${json}}]`).attributes.get('k')
}

function errorCode(json: string | Uint8Array): string | undefined {
  try {
    transcode(json)
    return undefined
  } catch (error) {
    if (error instanceof OtlpDecodeError) return error.code
    throw error
  }
}

test('the first span of a newcomer is found by the texts that were sent', () => {
  const json =
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"trace_1","spanId":"span_1","name":"tool_call_failed","startTimeUnixNano":"1781856000000000000","status":{"code":2,"message":"tool failed"}}]}]}]}'
  const { body, rejected, warnings } = transcode(json)
  expect([rejected, warnings, [...scanTraces(body, { anyValueDepthMax: 64 }).reject]]).toEqual([[], [], [0]])
  const { span } = [...decodeTraces(body)][0]!
  expect(span.traceId).toEqual(parseTraceId('trace_1')!.bytes)
  expect(span.spanId).toEqual(parseSpanId('span_1')!.bytes)
  expect(span).toMatchObject({
    name: 'tool_call_failed',
    startUnixNano: 1781856000000000000n,
    status: { code: 2, message: 'tool failed' },
  })
  expect(span.attributes).toEqual(
    new Map([
      ['loopkit.original_trace_id', 'trace_1'],
      ['loopkit.original_span_id', 'span_1'],
    ]),
  )
})

test('JSON says the same as protobuf, in every spelling', () => {
  const spelling = fc.record({ snakeCase: fc.boolean(), bareIntegers: fc.boolean(), escaped: fc.boolean(), spaced: fc.boolean() })
  fc.assert(
    fc.property(arbitraryRequest, spelling, (spans, how) => {
      expect(decode(toJson(spans, how))).toEqual([...decodeTraces(encodeTraces(spans))])
    }),
    { numRuns: 200 },
  )
})

test('damaged JSON gives spans or an OtlpDecodeError, and what it gives is sound protobuf', () => {
  const spelling = { snakeCase: false, bareIntegers: true, escaped: true, spaced: false }
  fc.assert(
    fc.property(arbitrarilyDamaged(arbitraryRequest.map((spans) => toJson(spans, spelling))), (json) => {
      if (errorCode(json) === undefined) scanTraces(transcode(json).body, { anyValueDepthMax: 64 })
    }),
    { numRuns: 300 },
  )
})

describe('ids', () => {
  test.each([
    ['hex in capitals', `"${TRACE.toUpperCase()}"`, TRACE, undefined],
    ['padded base64', '"CvdlGRbNQ92ESOshHIAxnA=="', TRACE, undefined],
    [
      'base64 with an escaped slash, as PHP writes it',
      '"\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/\\/w=="',
      'f'.repeat(32),
      undefined,
    ],
    ['hex with an escape in it', `"\\u0030${TRACE.slice(1)}"`, TRACE, undefined],
    ['16 hex characters', '"0123456789abcdef"', toHex(parseTraceId('0123456789abcdef')!.bytes), '0123456789abcdef'],
    ['a number', '42', toHex(parseTraceId('42')!.bytes), '42'],
    ['a text in another script', '"след\\n1"', toHex(parseTraceId('след\n1')!.bytes), 'след\n1'],
    ['empty', '""', '', undefined],
    ['zeros', `"${'0'.repeat(32)}"`, '0'.repeat(32), undefined],
    ['null', 'null', '', undefined],
  ])('a trace id as %s', (_, json, hex, original) => {
    const [found] = decode(requestOf(`{"traceId":${json},"spanId":"b7ad6b7169203331"}`))
    expect(toHex(found!.span.traceId)).toBe(hex)
    expect(found!.span.attributes.get('loopkit.original_trace_id')).toBe(original)
  })

  test.each([
    ['""', 'trace_id_empty'],
    ['null', 'trace_id_empty'],
    [`"${'0'.repeat(32)}"`, 'trace_id_zero'],
    ['"AAAAAAAAAAAAAAAAAAAAAA=="', 'trace_id_empty'],
    ['"0"', 'accepted'],
  ])('trace id %s: %s', (json, reason) => {
    const { body } = transcode(requestOf(`{"traceId":${json},"spanId":"b7ad6b7169203331"}`))
    expect(REJECT_REASONS[scanTraces(body, { anyValueDepthMax: 64 }).reject[0]!]).toBe(reason)
  })

  test.each([
    ['a list of bytes', JSON.stringify([...Buffer.from(TRACE, 'hex')])],
    ['a Buffer of Node', JSON.stringify(Buffer.from(TRACE, 'hex'))],
    ['bytes by index', JSON.stringify({ ...Buffer.from(TRACE, 'hex') })],
  ])('a trace id as %s', (_, json) => {
    expect(toHex(decode(requestOf(`{"traceId":${json},"spanId":"b7ad6b7169203331"}`))[0]!.span.traceId)).toBe(TRACE)
  })

  test.each([
    '[1,2]',
    '[256,1,1,1,1,1,1,1]',
    '[-1,1,1,1,1,1,1,1]',
    '["1",1,1,1,1,1,1,1]',
    '{"length":8e8}',
    '{"data":[1]}',
    '{}',
    'true',
  ])('a span id of %s refuses its span', (json) => {
    expect(transcode(requestOf(`{"traceId":"${TRACE}","spanId":${json}}`)).rejected).toEqual([
      { reason: 'id_unreadable', traceId: TRACE, count: 1 },
    ])
  })

  test('an id that is an array or an object refuses its span alone', () => {
    const { body, rejected } = transcode(requestOf(`{${IDS}}`, `{"traceId":[1,2],"spanId":{}}`, `{${IDS}}`))
    expect(rejected).toEqual([{ reason: 'id_unreadable', traceId: '', count: 1 }])
    expect([...decodeTraces(body)]).toHaveLength(2)
  })

  test('the text of a parent is kept, and a child names its parent by the same bytes', () => {
    const [parent, child] = decode(
      requestOf('{"traceId":"t","spanId":"root"}', '{"traceId":"t","spanId":"child","parentSpanId":"root"}'),
    )
    expect(child!.span.parentSpanId).toEqual(parent!.span.spanId)
    expect(child!.span.attributes.get('loopkit.original_parent_span_id')).toBe('root')
  })

  test('an empty parent or one of zeros is none', () => {
    for (const parent of ['""', 'null', `"${'0'.repeat(16)}"`]) expect(spanOf(`"parentSpanId":${parent}`).parentSpanId).toBeNull()
  })

  test('ids of links are hashed likewise, without an attribute', () => {
    const span = spanOf('"links":[{"traceId":"t","spanId":"s"},{"traceId":"","spanId":""}]')
    expect(span.links.map(({ traceId, spanId }) => [traceId, spanId])).toEqual([
      [parseTraceId('t')!.bytes, parseSpanId('s')!.bytes],
      [new Uint8Array(0), new Uint8Array(0)],
    ])
    expect(span.attributes.size).toBe(0)
  })
})

describe('times are exact to the digit or refuse the span', () => {
  test.each<[string, bigint | null]>([
    ['"1544712660300000001"', 1544712660300000001n],
    ['1544712660300000001', 1544712660300000001n],
    ['"18446744073709551615"', 2n ** 64n - 1n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['9223372036854775808', 2n ** 63n],
    ['"0"', 0n],
    ['"00000000000000000007"', 7n],
    ['"\\u0031\\u0030"', 10n],
    ['1.5e3', 1500n],
    ['1781856000000000000.0', 1781856000000000000n],
    ['1.781856e18', 1781856000000000000n],
    ['0e9', 0n],
    ['null', 0n],
    ['"18446744073709551616"', null],
    ['18446744073709551616', null],
    ['"000000000000000000007"', null],
    ['-1', null],
    ['"-1"', null],
    ['"1e3"', null],
    ['"0x10"', null],
    ['" 12 "', null],
    ['"12.0"', null],
    ['""', null],
    ['1.5', null],
    ['1e-3', null],
    ['1e20', null],
    ['1e999999999', null],
    ['-0', null],
    ['true', null],
    ['{"low":1,"high":2,"unsigned":true}', (2n << 32n) + 1n],
    ['{"low":-1,"high":-1,"unsigned":true}', 2n ** 64n - 1n],
    ['{"low":-1,"high":1}', (2n << 32n) - 1n],
    ['{"low":1,"high":-1,"unsigned":false}', null],
    ['{"low":1,"high":-1}', null],
    ['{"low":1}', null],
    ['{"low":1.5,"high":0}', null],
    ['{"low":4294967296,"high":0}', null],
    ['{}', null],
    ['[1]', null],
  ])('%s', (json, nano) => {
    const { body, rejected } = transcode(
      requestOf(`{${IDS},"startTimeUnixNano":${json},"name":"it"}`, `{${IDS},"name":"neighbour"}`),
    )
    const spans = [...decodeTraces(body)].map(({ span }) => span)
    expect(spans.at(-1)!.name).toBe('neighbour')
    if (nano !== null) expect([rejected, spans[0]!.startUnixNano]).toEqual([[], nano])
    else expect([rejected, spans.length]).toEqual([[{ reason: 'time_out_of_range', traceId: TRACE, count: 1 }], 1])
  })

  test('of an event too', () => {
    expect(transcode(requestOf(`{${IDS},"events":[{"timeUnixNano":"soon"}]}`)).rejected).toHaveLength(1)
    expect(spanOf('"events":[{"timeUnixNano":"7","name":"e"}]').events[0]).toMatchObject({ timeUnixNano: 7n, name: 'e' })
  })
})

describe('values', () => {
  test.each<[string, OtlpValue | undefined]>([
    ['{}', null],
    ['null', null],
    ['{"stringValue":""}', ''],
    ['{"stringValue":null}', null],
    ['{"stringValue":7}', '7'],
    ['{"boolValue":false}', false],
    ['{"bool_value":true}', true],
    ['{"boolValue":"true"}', true],
    ['{"intValue":0}', 0],
    ['{"intValue":"7"}', 7],
    ['{"intValue":-9223372036854775808}', -(2n ** 63n)],
    ['{"intValue":"9223372036854775807"}', 2n ** 63n - 1n],
    ['{"intValue":9007199254740993}', 9007199254740993n],
    ['{"intValue":1e+21}', 1e21],
    ['{"intValue":9223372036854775808}', 2 ** 63],
    ['{"intValue":5.0}', 5],
    ['{"intValue":1.5}', 1.5],
    ['{"intValue":"seven"}', null],
    ['{"intValue":{}}', null],
    ['{"doubleValue":5}', 5],
    ['{"doubleValue":-2.5e-3}', -0.0025],
    ['{"doubleValue":null}', null],
    ['{"doubleValue":"NaN"}', Number.NaN],
    ['{"doubleValue":"-Infinity"}', Number.NEGATIVE_INFINITY],
    ['{"doubleValue":"1.5"}', 1.5],
    ['{"doubleValue":"0x10"}', null],
    ['{"arrayValue":{}}', []],
    ['{"arrayValue":null}', null],
    ['{"arrayValue":{"values":null}}', []],
    ['{"arrayValue":{"values":[null,{},{"stringValue":"a"}]}}', [null, null, 'a']],
    ['{"kvlistValue":{"values":[{"key":"__proto__","value":{"intValue":1}}]}}', new Map([['__proto__', 1]])],
    ['{"bytesValue":"+/8="}', Uint8Array.of(0xfb, 0xff)],
    ['{"bytesValue":"-_8"}', Uint8Array.of(0xfb, 0xff)],
    ['{"bytesValue":""}', new Uint8Array(0)],
    ['{"bytesValue":"not base64!"}', 'not base64!'],
    ['{"intValue":1,"stringValue":"last"}', 'last'],
    ['{"unknownValue":[{"a":[]}]}', null],
    ['"plain"', 'plain'],
    ['1.5', 1.5],
    ['[1,"a",null,{"b":true}]', [1, 'a', null, new Map([['b', true]])]],
  ])('%s', (json, value) => {
    expect(valueOfJson(json)).toEqual(value)
  })

  test('attributes as a plain object', () => {
    expect(spanOf('"attributes":{"a":1,"__proto__":{"b":null},"c\\u0064":"e"}').attributes).toEqual(
      new Map<string, OtlpValue>([
        ['a', 1],
        ['__proto__', new Map([['b', null]])],
        ['cd', 'e'],
      ]),
    )
  })

  test.each([
    ['a pair of surrogates', '"\\ud83d\\ude00"', '😀'],
    ['a lone high surrogate', '"a\\ud83db"', 'a\ufffdb'],
    ['a lone low surrogate', '"\\ude00"', '\ufffd'],
    ['two high surrogates', '"\\ud83d\\ud83d\\ude00"', '\ufffd😀'],
    ['every escape', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000é"', '"\\/\b\f\n\r\t\0é'],
  ])('a text with %s', (_, json, text) => {
    expect(spanOf(`"name":${json}`).name).toBe(text)
  })

  test('a text that is no UTF-8 is shown with U+FFFD', () => {
    const json = Buffer.from(requestOf(`{${IDS},"name":"a?b"}`))
    json[json.indexOf('?')] = 0xff
    expect(decode(json)[0]!.span.name).toBe('a\ufffdb')
  })
})

describe('numbers and enums as senders write them', () => {
  test.each([
    ['"kind":3', { kind: 3 }],
    ['"kind":"3"', { kind: 3 }],
    ['"kind":99', { kind: 99 }],
    ['"kind":-1', { kind: -1 }],
    ['"kind":"SPAN_KIND_CONSUMER"', { kind: 5 }],
    ['"kind":"SPAN_KIND_NEW"', { kind: 0 }],
    ['"kind":1e21', { kind: 0 }],
    ['"status":{"code":"STATUS_CODE_ERROR","message":404}', { status: { code: 2, message: '404' } }],
    ['"status":null', { status: { code: 0, message: '' } }],
    ['"flags":769,"traceState":"ot=th:0"', { flags: 769, traceState: 'ot=th:0' }],
    [
      '"droppedAttributesCount":"7","droppedEventsCount":4294967295',
      { droppedAttributesCount: 7, droppedEventsCount: 4294967295 },
    ],
    ['"droppedAttributesCount":1e21,"droppedLinksCount":-1', { droppedAttributesCount: 4294967295, droppedLinksCount: 0 }],
    ['"end_time_unix_nano":"5","dropped_links_count":1', { endUnixNano: 5n, droppedLinksCount: 1 }],
  ])('%s', (fields, span) => {
    expect(spanOf(fields)).toMatchObject(span)
  })

  test.each([
    ['an unknown enum name', '"kind":"SPAN_KIND_NEW"', 'an unknown enum name was read as 0'],
    ['a count out of range', '"droppedEventsCount":-1', 'a number out of its range was changed'],
    ['an object in place of a text', '"name":{}', 'a value of an unexpected type was left out'],
    ['a text in place of a list', '"events":"none"', 'a value of an unexpected type was left out'],
  ])('%s is warned of', (_, fields, warning) => {
    expect(transcode(requestOf(`{${IDS},${fields}}`)).warnings).toEqual([warning])
  })
})

describe('real bodies', () => {
  const folder = '../shared/data/otlp'
  if (!existsSync(folder)) console.warn(`${folder} is absent: bodies of real exporters are not tried`)
  const files = existsSync(folder) ? readdirSync(folder) : []

  test('every trace line of the demo capture is read whole', () => {
    if (!files.includes('otel-demo-capture.json.gz')) return
    const lines = gunzipSync(readFileSync(`${folder}/otel-demo-capture.json.gz`))
      .toString('utf8')
      .split('\n')
    const bodies = lines.filter((line) => line.startsWith('{"resourceSpans"'))
    const spans = bodies.flatMap(decode)
    expect([bodies.length, spans.length, spans.flatMap(({ span }) => span.events).length]).toEqual([41, 547, 139])
    expect(spans.flatMap(({ span }) => span.links)).toHaveLength(53)
    expect(bodies.flatMap((body) => transcode(body).warnings)).toEqual([])
  })

  test('bodies that others hold for invalid are refused as a whole or in part, never with another error', () => {
    if (!files.includes('invalid')) return
    for (const name of readdirSync(`${folder}/invalid`)) errorCode(readFileSync(`${folder}/invalid/${name}`))
  })
})
