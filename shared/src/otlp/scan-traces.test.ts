import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OtlpDecodeError } from './decode-error.ts'
import { decodeTraces } from './decode-traces.ts'
import { encodeTraces } from './encode-traces.ts'
import { arbitrarilyDamaged, arbitraryRequest } from './fixtures/arbitrary-spans.ts'
import {
  attribute,
  fixed32,
  fixed64,
  group,
  int,
  join,
  len,
  nestedValue,
  requestOf,
  SPAN_ID,
  spanIds,
  TRACE_ID,
} from './fixtures/wire-fields.ts'
import { REJECT_REASONS, scanTraces } from './scan-traces.ts'

const limits = { anyValueDepthMax: 64 }

function reasonsOf(body: Uint8Array): (string | undefined)[] {
  return [...scanTraces(body, limits).reject].map((reject) => REJECT_REASONS[reject])
}

/** The error is answered, not thrown, where it is one that a caller must expect. */
function errorOf<T>(action: () => T): T | OtlpDecodeError {
  try {
    return action()
  } catch (error) {
    if (error instanceof OtlpDecodeError) return error
    throw error
  }
}

function errorCode(body: Uint8Array): string | undefined {
  const scan = errorOf(() => scanTraces(body, limits))
  return scan instanceof OtlpDecodeError ? scan.code : undefined
}

describe('what a span is refused for, alone', () => {
  test.each([
    ['nothing', spanIds(), 'accepted'],
    ['no trace id', len(2, SPAN_ID), 'trace_id_empty'],
    ['an empty trace id', join(len(1), len(2, SPAN_ID)), 'trace_id_empty'],
    ['a trace id of zeros', join(len(1, new Uint8Array(16)), len(2, SPAN_ID)), 'trace_id_zero'],
    ['a trace id of 32 hex characters', join(len(1, '0'.repeat(32)), len(2, SPAN_ID)), 'trace_id_wrong_length'],
    ['no span id', len(1, TRACE_ID), 'span_id_empty'],
    ['a span id of zeros', join(len(1, TRACE_ID), len(2, new Uint8Array(8))), 'span_id_zero'],
    ['a span id of 16 bytes', join(len(1, TRACE_ID), len(2, TRACE_ID)), 'span_id_wrong_length'],
    ['a parent id of 7 bytes', join(spanIds(), len(4, '1234567')), 'parent_id_wrong_length'],
    ['a parent id of zeros is no parent', join(spanIds(), len(4, new Uint8Array(8))), 'accepted'],
    ['the last of two trace ids counts', join(len(1, 'short'), spanIds()), 'accepted'],
    ['a trace id as a number is none', join(int(1, 5), len(2, SPAN_ID)), 'trace_id_empty'],
    ['64 levels of arrays', join(spanIds(), attribute(9, 'a', nestedValue(64, 'array'))), 'accepted'],
    ['65 levels of arrays', join(spanIds(), attribute(9, 'a', nestedValue(65, 'array'))), 'value_too_deep'],
    ['63 levels of kvlists', join(spanIds(), attribute(9, 'a', nestedValue(63, 'kvlist'))), 'accepted'],
    ['64 levels of kvlists', join(spanIds(), attribute(9, 'a', nestedValue(64, 'kvlist'))), 'accepted'],
    ['65 levels of kvlists', join(spanIds(), attribute(9, 'a', nestedValue(65, 'kvlist'))), 'value_too_deep'],
    ['3,000 levels', join(spanIds(), attribute(9, 'a', nestedValue(3_000, 'array'))), 'value_too_deep'],
    ['65 levels in an event', join(spanIds(), len(11, attribute(3, 'a', nestedValue(65, 'array')))), 'value_too_deep'],
    ['65 levels in a link', join(spanIds(), len(13, attribute(4, 'a', nestedValue(65, 'array')))), 'value_too_deep'],
  ])('%s', (_, span, reason) => {
    expect(reasonsOf(requestOf(spanIds(), span, spanIds()))).toEqual(['accepted', reason, 'accepted'])
  })

  test('a value too deep in a resource refuses the spans under it and no others', () => {
    const resource = len(1, attribute(1, 'a', nestedValue(65, 'array')))
    const spans = len(2, len(2, spanIds()), len(2, spanIds()))
    expect(reasonsOf(join(len(1, spans, resource), requestOf(spanIds())))).toEqual([
      'value_too_deep',
      'value_too_deep',
      'accepted',
    ])
  })

  test('a value too deep in a scope refuses the spans under it and no others', () => {
    const scope = len(1, attribute(3, 'a', nestedValue(65, 'kvlist')))
    expect(reasonsOf(len(1, len(2, len(2, spanIds()), scope), len(2, len(2, spanIds()))))).toEqual(['value_too_deep', 'accepted'])
  })
})

describe('whatever the wire format allows is read', () => {
  test.each([
    ['an empty body', new Uint8Array(0), 0],
    ['an empty envelope', len(1), 0],
    [
      'fields of unknown numbers, groups among them',
      join(requestOf(spanIds()), group(7, int(1, 1), group(9)), int(536870911, 1)),
      1,
    ],
    [
      'unknown fields within a span',
      requestOf(join(int(99, 1), fixed32(98, 1), spanIds(), group(97, len(1, 'x')), len(96, 'y'))),
      1,
    ],
    ['spans where senders of before 2022 put them', len(1, len(1000, len(2, spanIds()))), 1],
    ['a tag in more bytes than it needs', requestOf(join(Uint8Array.of(0x8a, 0x00, 16), TRACE_ID, len(2, SPAN_ID))), 1],
  ])('%s', (_, body, count) => {
    const scan = scanTraces(body, limits)
    expect([scan.count, [...scan.reject].every((reject) => reject === 0)]).toEqual([count, true])
  })

  test('times, ids and the parent are where the scan says', () => {
    const parent = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)
    const span = join(fixed64(8, 2n ** 64n - 1n), fixed64(7, 5n), len(4, parent), fixed64(7, 2n ** 63n), spanIds())
    const body = requestOf(span)
    const scan = scanTraces(body, limits)
    expect([scan.startNano[0], scan.endNano[0]]).toEqual([2n ** 63n, 2n ** 64n - 1n])
    expect(body.slice(scan.traceIdAt[0], scan.traceIdAt[0]! + 16)).toEqual(TRACE_ID)
    expect(body.slice(scan.spanIdAt[0], scan.spanIdAt[0]! + 8)).toEqual(SPAN_ID)
    expect(body.slice(scan.parentIdAt[0], scan.parentIdAt[0]! + 8)).toEqual(parent)
    expect(body.slice(scan.spanStart[0], scan.spanEnd[0])).toEqual(span)
  })

  test.each([
    ['an error status', len(15, len(2, 'no'), int(3, 2)), 1],
    ['a status in two pieces', join(len(15, int(3, 2)), len(15, len(2, 'no'))), 1],
    ['a status that is set twice counts by the last', len(15, int(3, 2), int(3, 1)), 0],
    ['an event named exception', len(11, len(2, 'exception')), 1],
    ['an event of another name', len(11, len(2, 'exceptional')), 0],
    ['nothing', new Uint8Array(0), 0],
  ])('%s as a hint of an error', (_, fields, hasError) => {
    expect(scanTraces(requestOf(join(spanIds(), fields)), limits).hasError[0]).toBe(hasError)
  })

  test('200,000 spans in one request', () => {
    const one = len(2, spanIds())
    const body = len(1, len(2, new Uint8Array(Buffer.alloc(one.length * 200_000, one))))
    expect(scanTraces(body, limits).count).toBe(200_000)
  })
})

describe('a body that is no protobuf is an OtlpDecodeError', () => {
  test.each([
    ['a length beyond the body', Uint8Array.of(0x0a, 5, 1)],
    ['a length beyond its message', len(1, Uint8Array.of(0x12, 5, 1))],
    ['a span that ends within a field', requestOf(Uint8Array.of(0x0a, 16, 1))],
    ['an attribute that ends within its key', requestOf(join(spanIds(), len(9, Uint8Array.of(0x0a, 9, 1))))],
    ['a value that ends within its text', requestOf(join(spanIds(), len(9, len(2, Uint8Array.of(0x0a, 9, 1)))))],
    ['a time of seven bytes', requestOf(join(spanIds(), Uint8Array.of(0x39, 1, 2, 3, 4, 5, 6, 7)))],
    ['a tag of field 0', Uint8Array.of(0x02, 0)],
    ['a tag of field 0 in a span', requestOf(join(spanIds(), Uint8Array.of(0x02, 0)))],
    ['wire type 6', Uint8Array.of(0x0e)],
    ['wire type 7 in a span', requestOf(Uint8Array.of(0x0f, 0))],
    ['a group that does not end', Uint8Array.of(0x3b, 0x08, 1)],
    ['a group that ends under another number', Uint8Array.of(0x3b, 0x44)],
    ['the end of a group that never began', Uint8Array.of(0x3c)],
    ['a varint that does not end', Uint8Array.of(0x38, 0xff)],
    ['a varint of eleven bytes', join(Uint8Array.of(0x38), new Uint8Array(10).fill(0xff), Uint8Array.of(1))],
    ['a length of 2^63', join(Uint8Array.of(0x0a), new Uint8Array(9).fill(0xff), Uint8Array.of(0x01))],
    ['a tag of 40 bits', Uint8Array.of(0x82, 0x80, 0x80, 0x80, 0x80, 0x01, 0)],
  ])('%s', (_, body) => {
    expect(errorCode(body)).toBe('malformed_protobuf')
  })

  test('groups nested without end are too deep', () => {
    expect(errorCode(new Uint8Array(100_000).fill(0x3b))).toBe('too_deep')
  })

  test('damaged bytes give spans or an OtlpDecodeError, never another error', () => {
    fc.assert(
      fc.property(arbitrarilyDamaged(arbitraryRequest.map(encodeTraces)), (body) => {
        const spans = errorOf(() => [...decodeTraces(body)])
        if (errorCode(body) === undefined) expect(spans).toHaveLength(scanTraces(body, limits).count)
      }),
      { numRuns: 400 },
    )
  })
})
