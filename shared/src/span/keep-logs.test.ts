import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeLogs } from '../otlp/decode-logs.ts'
import { encodeLogs } from '../otlp/encode-logs.ts'
import { arbitraryLogs, toLogsJson } from '../otlp/fixtures/arbitrary-logs.ts'
import { attribute, fixed64, int, join, len, nestedValue, requestOf, SPAN_ID, TRACE_ID } from '../otlp/fixtures/wire-fields.ts'
import { toHex } from '../otlp/ids.ts'
import { LOG_RECORD_ID_KEY } from '../otlp/log-keys.ts'
import type { OtlpAttributes, OtlpValue } from '../otlp/model.ts'
import { transcodeLogsJson } from '../otlp/transcode-json.ts'
import { keepLogs } from './keep-logs.ts'
import { decodeLogsAsSpans } from './log-as-span.ts'
import { logErrorGround } from './log-error.ts'
import { isLoneTrace } from './lone-trace-id.ts'
import { redactLogs } from './redact/redact-traces.ts'

const limits = { anyValueDepthMax: 64, jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
const text = (value: string) => len(1, value)
const error = (...fields: Uint8Array[]) => join(int(2, 17), ...fields)

/** Hex of the ids that the records of a request are kept under. */
function idsOf(body: Uint8Array): string[] {
  const { body: kept, scan } = keepLogs(body, limits)
  return [...scan.spanIdAt].map((at) => toHex(kept.subarray(at, at + 8)))
}

describe('the records of a request that are kept', () => {
  const body = requestOf(
    error(len(5, text('kept'))),
    int(2, 9),
    error(len(9, 'short')),
    error(attribute(6, 'a', nestedValue(65, 'array'))),
    error(len(9, TRACE_ID), attribute(6, 'b', nestedValue(65, 'array'))),
    int(2, 13),
  )

  test('are those that tell of an error and can be read', () => {
    const { body: kept, notKept, refused } = keepLogs(body, limits)
    expect([...decodeLogs(kept)].map(({ log }) => log.body)).toEqual(['kept'])
    expect(notKept).toBe(2)
    expect(refused).toEqual([
      { reason: 'trace_id_wrong_length', count: 1, traceIds: [] },
      { reason: 'value_too_deep', count: 2, traceIds: [toHex(TRACE_ID)] },
    ])
  })

  test('are nothing where none tells of an error', () => {
    const { body: kept, scan, notKept, refused } = keepLogs(requestOf(int(2, 9), join()), limits)
    expect([kept.length, scan.count, notKept, refused]).toEqual([0, 0, 2, []])
  })

  test('stay as they were sent but for the id, unknown fields too, below their resource and scope', () => {
    const record = error(len(99, 'unknown'), len(5, text('x')))
    const resource = len(1, attribute(1, 'service.name', text('shop')))
    const scope = len(1, len(1, 'logger'))
    const sent = len(1, resource, len(2, scope, len(2, record), len(2, int(2, 9)), len(3, 'schema')))
    const { body: kept } = keepLogs(sent, limits)
    const id = attribute(
      6,
      LOG_RECORD_ID_KEY,
      len(7, [...decodeLogs(kept)][0]!.log.attributes.get(LOG_RECORD_ID_KEY) as Uint8Array),
    )
    expect(kept).toEqual(len(1, resource, len(2, scope, len(2, record, id), len(3, 'schema'))))
  })
})

describe('the id of a kept record', () => {
  test('is the same in JSON of any spelling and in protobuf', () => {
    const spelling = fc.record({
      snakeCase: fc.boolean(),
      bareIntegers: fc.boolean(),
      escaped: fc.boolean(),
      spaced: fc.boolean(),
    })
    fc.assert(
      fc.property(arbitraryLogs, spelling, (logs, how) => {
        expect(idsOf(transcodeLogsJson(toLogsJson(logs, how), limits).body)).toEqual(idsOf(encodeLogs(logs)))
      }),
    )
  })

  test('does not depend on the order of attributes, nor on who sends it in what company', () => {
    fc.assert(
      fc.property(arbitraryLogs, (logs) => {
        const turned = logs.map(({ resource, scope, log }) => ({
          resource: { ...resource, attributes: reversed(resource.attributes) },
          scope,
          log: { ...log, attributes: reversed(log.attributes), body: reversedValue(log.body) },
        }))
        expect(turned.flatMap((one) => idsOf(encodeLogs([one])))).toEqual(idsOf(encodeLogs(logs)))
      }),
    )
  })

  test('survives a replay of what is stored', () => {
    fc.assert(
      fc.property(arbitraryLogs, (logs) => {
        const stored = keepLogs(encodeLogs(logs), limits).body
        redactLogs(stored)
        expect(idsOf(stored)).toEqual(idsOf(encodeLogs(logs)))
      }),
    )
  })

  test('cannot be chosen by the sender', () => {
    const forged = (bytes: number) => attribute(6, LOG_RECORD_ID_KEY, len(7, new Uint8Array(bytes).fill(7)))
    const honest = idsOf(requestOf(error()))
    expect(idsOf(requestOf(error(forged(8))))).toEqual(honest)
    expect(idsOf(requestOf(error(forged(16))))).toEqual(honest)
    const { body, scan } = keepLogs(requestOf(error(forged(16), len(9, TRACE_ID))), limits)
    expect(body.subarray(scan.traceIdAt[0]!, scan.traceIdAt[0]! + 16)).toEqual(TRACE_ID)
  })

  test('tells nothing of a secret', () => {
    const withKey = (key: string) =>
      requestOf(error(len(5, text(`cannot use Bearer ${key}`)), attribute(6, 'password', text(key))))
    expect(idsOf(withKey('a'.repeat(20)))).toEqual(idsOf(withKey('b'.repeat(20))))
  })

  test.each<[string, Uint8Array]>([
    ['body', error(len(5, text('b')))],
    ['time', error(fixed64(1, 1n))],
    ['trace', error(len(9, TRACE_ID))],
    ['event name', error(len(12, 'e'))],
    ['attribute', error(attribute(6, 'a', text('1')))],
  ])('another %s makes another record', (_, record) => {
    expect(idsOf(requestOf(record))).not.toEqual(idsOf(requestOf(error())))
  })

  test('another resource or scope makes another record', () => {
    const sent = [
      requestOf(error()),
      len(1, len(1, attribute(1, 'host', text('h'))), len(2, len(2, error()))),
      len(1, len(2, len(1, len(1, 'logger')), len(2, error()))),
    ]
    expect(new Set(sent.flatMap(idsOf)).size).toBe(3)
  })
})

describe('a kept record in the place of a span', () => {
  test('is found by the walk where the decoder finds it, and fails as the door has judged', () => {
    fc.assert(
      fc.property(arbitraryLogs, (logs) => {
        const { body, scan } = keepLogs(encodeLogs(logs), limits)
        const kept = logs.filter(({ log }) => logErrorGround(log) !== null)
        const spans = [...decodeLogsAsSpans(body)]
        expect(spans).toHaveLength(kept.length)
        spans.forEach(({ span }, row) => {
          expect(span.traceId).toEqual(body.slice(scan.traceIdAt[row]!, scan.traceIdAt[row]! + 16))
          expect(span.spanId).toEqual(body.slice(scan.spanIdAt[row]!, scan.spanIdAt[row]! + 8))
          expect(span.startUnixNano).toBe(scan.startNano[row])
          expect(isLoneTrace(span.traceId, span.spanId)).toBe(kept[row]!.log.traceId.length === 0)
          expect([span.status.code, span.attributes.has(LOG_RECORD_ID_KEY)]).toEqual([2, false])
        })
      }),
    )
  })

  test('is a moment below the span that it names, with the words of its body', () => {
    const record = error(fixed64(11, 9n), len(9, TRACE_ID), len(10, SPAN_ID), len(5, text('no money')))
    const [{ span }] = [...decodeLogsAsSpans(keepLogs(requestOf(record), limits).body)] as [LogInContextAsSpan]
    expect(span).toMatchObject({
      traceId: TRACE_ID,
      parentSpanId: SPAN_ID,
      startUnixNano: 9n,
      endUnixNano: 9n,
      name: 'log',
      status: { code: 2, message: 'no money' },
    })
  })

  test('of no trace has no span either, and a trace of its own', () => {
    const body = requestOf(error(len(10, SPAN_ID)), error(len(5, text('other'))))
    const spans = [...decodeLogsAsSpans(keepLogs(body, limits).body)].map(({ span }) => span)
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual([null, null])
    expect(new Set(spans.map(({ traceId }) => toHex(traceId))).size).toBe(2)
  })

  test.each<[string, Uint8Array, string]>([
    ['a text', text('a'), 'a'],
    ['nothing', join(), ''],
    ['a number', int(3, 5), '5'],
    ['a structure with a sentence', kvlist(['level', 'error'], ['msg', 'no money']), 'no money'],
    ['a structure without one', kvlist(['code', 'E1'], ['where', 'pay']), '{"code":"E1","where":"pay"}'],
  ])('says what its body says: %s', (_, value, message) => {
    const [ctx] = [...decodeLogsAsSpans(keepLogs(requestOf(error(len(5, value))), limits).body)]
    expect(ctx!.span.status.message).toBe(message)
  })
})

type LogInContextAsSpan = ReturnType<typeof decodeLogsAsSpans> extends Generator<infer T> ? T : never

function kvlist(...entries: [string, string][]): Uint8Array {
  return len(6, ...entries.map(([key, value]) => attribute(1, key, text(value))))
}

function reversed(attributes: OtlpAttributes): OtlpAttributes {
  return new Map([...attributes].reverse().map(([key, value]) => [key, reversedValue(value)]))
}

/** Maps turned around; lists keep their order, which means something. */
function reversedValue(value: OtlpValue): OtlpValue {
  if (value instanceof Map) return reversed(value)
  return Array.isArray(value) ? value.map(reversedValue) : value
}
