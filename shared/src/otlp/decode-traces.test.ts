import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createAttributeFilter, decodeTraces } from './decode-traces.ts'
import { encodeTraces } from './encode-traces.ts'
import { arbitraryRequest } from './fixtures/arbitrary-spans.ts'
import {
  attribute,
  fixed64,
  int,
  join,
  len,
  nestedValue,
  requestOf,
  SPAN_ID,
  spanIds,
  TRACE_ID,
  varintBytes,
} from './fixtures/wire-fields.ts'
import type { OtlpSpan, OtlpValue, SpanInContext } from './model.ts'

function only(body: Uint8Array): SpanInContext {
  const spans = [...decodeTraces(body)]
  expect(spans).toHaveLength(1)
  return spans[0]!
}

function spanOf(...fields: Uint8Array[]): OtlpSpan {
  return only(requestOf(join(spanIds(), ...fields))).span
}

function valueIn(...content: Uint8Array[]): OtlpValue | undefined {
  return spanOf(len(9, len(1, 'k'), len(2, ...content))).attributes.get('k')
}

test('what was encoded is decoded, whatever it was', () => {
  fc.assert(fc.property(arbitraryRequest, (spans) => expect([...decodeTraces(encodeTraces(spans))]).toEqual(spans)))
})

describe('every kind of value, present even where it is the default', () => {
  test.each<[string, Uint8Array, OtlpValue]>([
    ['empty value', new Uint8Array(0), null],
    ['empty text', len(1), ''],
    ['false', int(2, 0), false],
    ['true', int(2, 1), true],
    ['0', int(3, 0), 0],
    ['-1', int(3, -1n), -1],
    ['2^53-1', int(3, 2n ** 53n - 1n), 2 ** 53 - 1],
    ['2^53', int(3, 2n ** 53n), 2n ** 53n],
    ['-2^63', int(3, -(2n ** 63n)), -(2n ** 63n)],
    ['empty array', len(5), []],
    ['empty kvlist', len(6), new Map()],
    ['empty bytes', len(7), new Uint8Array(0)],
    ['array of mixed values', len(5, len(1, len(1, 'a')), len(1), len(1, int(3, 1))), ['a', null, 1]],
    ['the last of several', join(len(1, 'a'), int(3, 7)), 7],
    ['an array that comes in two pieces', join(len(5, len(1, len(1, 'a'))), len(5, len(1, len(1, 'b')))), ['a', 'b']],
    ['a reference into a string table that traces do not have', int(8, 3), null],
    ['invalid UTF-8', len(1, Uint8Array.of(0x61, 0xff, 0x62)), 'a\ufffdb'],
    ['a byte order mark', len(1, Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa'],
  ])('%s', (_, content, value) => {
    expect(valueIn(content)).toEqual(value)
  })

  test('a double, NaN and infinities', () => {
    const bits = (value: number) => new BigUint64Array(new Float64Array([value]).buffer)[0]!
    for (const value of [1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY]) expect(valueIn(fixed64(4, bits(value)))).toBe(value)
  })
})

describe('fields in any order and number', () => {
  test('a value before its key', () => {
    expect(spanOf(len(9, len(2, len(1, 'v')), len(1, 'k'))).attributes).toEqual(new Map([['k', 'v']]))
  })

  test('a value in two pieces is one value', () => {
    expect(spanOf(len(9, len(2, len(1, 'v')), len(1, 'k'), len(2))).attributes).toEqual(new Map([['k', 'v']]))
  })

  test('of a key that comes twice the last value counts', () => {
    expect(spanOf(attribute(9, 'k', len(1, 'a')), attribute(9, 'k', len(1, 'b'))).attributes).toEqual(new Map([['k', 'b']]))
  })

  test('a resource behind its scopes and in two pieces, a scope behind its spans', () => {
    const scope = join(len(2, spanIds()), len(3, 'of scope'), len(1, len(1, 'name')), len(1, len(2, '1.0'), int(4, 3)))
    const resource = (key: string) => len(1, attribute(1, key, len(1, 'v')))
    const { resource: found, scope: ofSpan } = only(len(1, len(2, scope), resource('a'), len(3, 'of resource'), resource('b')))
    expect(found).toEqual({
      attributes: new Map([
        ['a', 'v'],
        ['b', 'v'],
      ]),
      droppedAttributesCount: 0,
      schemaUrl: 'of resource',
    })
    expect(ofSpan).toEqual({
      name: 'name',
      version: '1.0',
      attributes: new Map(),
      droppedAttributesCount: 3,
      schemaUrl: 'of scope',
    })
  })

  test('a status in two pieces', () => {
    expect(spanOf(len(15, int(3, 2)), len(15, len(2, 'why'))).status).toEqual({ code: 2, message: 'why' })
  })

  test('fields of senders of before 2022', () => {
    expect(only(len(1, len(1000, len(1, len(1, 'old')), len(2, spanIds())))).scope.name).toBe('old')
  })
})

test('an end before the start and times beyond 2^63 are kept', () => {
  const { startUnixNano, endUnixNano } = spanOf(fixed64(7, 2n ** 64n - 1n), fixed64(8, 1n))
  expect([startUnixNano, endUnixNano]).toEqual([2n ** 64n - 1n, 1n])
})

test('a parent of zeros or of another length is none', () => {
  expect(spanOf(len(4, new Uint8Array(8))).parentSpanId).toBeNull()
  expect(spanOf(len(4, TRACE_ID)).parentSpanId).toBeNull()
  expect(spanOf(len(4, SPAN_ID)).parentSpanId).toEqual(SPAN_ID)
})

test('a text that was remembered is not mistaken for bytes that only look alike', () => {
  const span = spanOf(
    attribute(9, 'a', len(1, 'é')),
    attribute(9, 'b', len(1, Uint8Array.of(0xe9))),
    attribute(9, 'c', len(1, 'é')),
  )
  expect([...span.attributes.values()]).toEqual(['é', '\ufffd', 'é'])
})

test('a value that is deeper than the stack could bear is shown as empty', () => {
  expect(() => valueIn(nestedValue(3_000, 'array'))).not.toThrow()
})

test('a span of more list elements than any honest one is shown without the rest', () => {
  const empties = new Uint8Array(600_000)
  for (let i = 0; i < empties.length; i += 2) empties[i] = 0x0a
  expect((valueIn(len(5, empties)) as OtlpValue[]).length).toBeLessThanOrEqual(262_144)
  const events = Uint8Array.from({ length: 600_000 }, (_, i) => (i % 2 === 0 ? 0x5a : 0))
  const span = spanOf(events)
  expect(span.events.length + span.droppedEventsCount).toBe(300_000)
})

describe('with a filter', () => {
  const filter = createAttributeFilter(['http.route', 'db', 'é'], ['gen_ai.', 'llm.'])

  test.each([
    ['http.route', true],
    ['http.route2', false],
    ['http.rout', false],
    ['gen_ai.', true],
    ['gen_ai.usage.input_tokens', true],
    ['gen_ai', false],
    ['db', true],
    ['', false],
    ['é', true],
    ['__proto__', false],
  ])('%s is wanted: %s', (key, wanted) => {
    const [span] = decodeTraces(requestOf(join(spanIds(), attribute(9, key, len(1, 'v')))), filter)
    expect(span!.span.attributes.has(key)).toBe(wanted)
  })

  test('only attributes of spans are left out', () => {
    fc.assert(
      fc.property(arbitraryRequest, (spans) => {
        const wanted = createAttributeFilter(['k', '__proto__'], ['s'])
        const isWanted = (key: string) => key === 'k' || key === '__proto__' || key.startsWith('s')
        const expected = spans.map(({ resource, scope, span }) => ({
          resource,
          scope,
          span: { ...span, attributes: new Map([...span.attributes].filter(([key]) => isWanted(key))) },
        }))
        expect([...decodeTraces(encodeTraces(spans), wanted)]).toEqual(expected)
      }),
    )
  })

  test('longer texts are cut between characters where it says so, others are whole', () => {
    const body = requestOf(
      join(
        spanIds(),
        attribute(9, 'long', len(1, `${'a'.repeat(9)}é${'b'.repeat(200)}`)),
        attribute(9, 'short', len(1, 'c'.repeat(10))),
        attribute(9, 'list', len(5, len(1, len(1, 'd'.repeat(90))))),
      ),
    )
    const [ctx] = [...decodeTraces(body, createAttributeFilter(['long', 'short', 'list'], [], 10))]
    const expected = { long: 'a'.repeat(9), short: 'c'.repeat(10), list: ['d'.repeat(90)] }
    expect(Object.fromEntries(ctx!.span.attributes)).toEqual(expected)
  })

  test('the empty prefix wants everything, no keys want nothing', () => {
    const body = requestOf(join(spanIds(), attribute(9, 'k', len(1, 'v'))))
    const keys = (exact: string[], prefixes: string[]) => [
      ...[...decodeTraces(body, createAttributeFilter(exact, prefixes))][0]!.span.attributes.keys(),
    ]
    expect(keys([], [''])).toEqual(['k'])
    expect(keys([], [])).toEqual([])
  })
})

test('spans of one envelope share their resource and scope', () => {
  const [first, second] = decodeTraces(requestOf(spanIds(), spanIds()))
  expect(first!.resource).toBe(second!.resource)
  expect(first!.scope).toBe(second!.scope)
})

test('an unknown 64-bit varint beside the spans changes nothing', () => {
  expect(only(join(varintBytes(77 * 8), varintBytes(2n ** 64n - 1n), requestOf(spanIds()))).span.spanId).toEqual(SPAN_ID)
})
