import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OtlpDecodeError } from './decode-error.ts'
import { decodeLogs } from './decode-logs.ts'
import { encodeLogs } from './encode-logs.ts'
import { arbitraryLogs, toLogsJson } from './fixtures/arbitrary-logs.ts'
import { arbitrarilyDamaged } from './fixtures/arbitrary-spans.ts'
import { attribute, fixed64, group, int, join, len, nestedValue, requestOf, TRACE_ID } from './fixtures/wire-fields.ts'
import { parseSpanId, parseTraceId, toHex } from './ids.ts'
import { EXCEPTION_KEYS } from './log-keys.ts'
import { isErrorSeverity, SEVERITY_NAMES } from './log-severity.ts'
import type { LogInContext, OtlpLog } from './model.ts'
import { scanLogs } from './scan-logs.ts'
import { REJECT_REASONS } from './scan-records.ts'
import { transcodeLogsJson } from './transcode-json.ts'

const limits = { anyValueDepthMax: 64, jsonDepthMax: 300, jsonValuesMax: 4_000_000 }

const spelling = fc.record({ snakeCase: fc.boolean(), bareIntegers: fc.boolean(), escaped: fc.boolean(), spaced: fc.boolean() })

function transcode(json: string): ReturnType<typeof transcodeLogsJson> {
  return transcodeLogsJson(Buffer.from(json), limits)
}

const jsonOf = (...records: string[]) => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${records.join(',')}]}]}]}`

function logOf(fields: string): OtlpLog {
  return [...decodeLogs(transcode(jsonOf(`{${fields}}`)).body)][0]!.log
}

/** One row each: why it is refused, whether it is kept. */
function judged(...records: Uint8Array[]): [reason: string, kept: number][] {
  const { reject, hasError } = scanLogs(requestOf(...records), limits)
  return [...reject].map((reason, i) => [REJECT_REASONS[reason]!, hasError[i]!])
}

const text = (value: string) => len(1, value)
const TYPE = attribute(6, 'exception.type', text('ValueError'))

describe('what a log record is refused for, alone', () => {
  test.each([
    ['nothing', int(2, 17), 'accepted'],
    ['no ids at all', join(), 'accepted'],
    ['a trace id of zeros is none', len(9, new Uint8Array(16)), 'accepted'],
    ['an empty trace id is none', len(9), 'accepted'],
    ['a trace id of 32 hex characters', len(9, '0'.repeat(32)), 'trace_id_wrong_length'],
    ['a span id of 16 bytes', join(len(9, TRACE_ID), len(10, TRACE_ID)), 'span_id_wrong_length'],
    ['a span id of zeros is none', join(len(9, TRACE_ID), len(10, new Uint8Array(8))), 'accepted'],
    ['64 levels in an attribute', attribute(6, 'a', nestedValue(64, 'array')), 'accepted'],
    ['65 levels in an attribute', attribute(6, 'a', nestedValue(65, 'kvlist')), 'value_too_deep'],
    ['64 levels in the body', len(5, nestedValue(64, 'kvlist')), 'accepted'],
    ['65 levels in the body', len(5, nestedValue(65, 'array')), 'value_too_deep'],
  ])('%s', (_, record, reason) => {
    expect(judged(record, int(2, 17))).toEqual([
      [reason, expect.any(Number)],
      ['accepted', 1],
    ])
  })

  test('a resource with a value too deep refuses its records, and no others', () => {
    const resource = len(1, attribute(1, 'a', nestedValue(65, 'array')))
    const body = join(len(1, resource, len(2, len(2), len(2))), requestOf(join()))
    expect([...scanLogs(body, limits).reject].map((reason) => REJECT_REASONS[reason])).toEqual([
      'value_too_deep',
      'value_too_deep',
      'accepted',
    ])
  })
})

describe('which log records are kept', () => {
  test.each([
    ['INFO', int(2, 9), 0],
    ['WARN4', int(2, 16), 0],
    ['ERROR', int(2, 17), 1],
    ['FATAL4', int(2, 24), 1],
    ['a severity beyond the list', int(2, 25), 1],
    ['a negative severity', int(2, -1), 0],
    ['the last of two severities', join(int(2, 17), int(2, 9)), 0],
    ['no severity', join(), 0],
    ['the name alone', len(3, 'Error'), 1],
    ['a name that is contradicted by the number', join(int(2, 9), len(3, 'ERROR')), 0],
    ['a long text that begins with error', len(3, `error${' '.repeat(40)}`), 0],
    ['an exception type', join(int(2, 9), TYPE), 1],
    ['an exception message alone', attribute(6, 'exception.message', text('no')), 1],
    ['an exception stack longer than 16 kB', attribute(6, 'exception.stacktrace', text('at x\n'.repeat(5_000))), 1],
    ['an exception type without a text', attribute(6, 'exception.type', text('')), 0],
    ['an exception type that is a number', attribute(6, 'exception.type', int(3, 5)), 0],
    ['an exception type whose value comes first', len(6, len(2, text('E')), len(1, 'exception.type')), 1],
    ['the last of two types counts', join(TYPE, attribute(6, 'exception.type', text(''))), 0],
    ['an event named exception', len(12, 'exception'), 1],
    ['an event named exception in the old way', attribute(6, 'event.name', text('exception')), 1],
    ['an event of another name', len(12, 'exceptional'), 0],
    ['fields that are not known', join(group(40, int(1, 2)), fixed64(41, 1n), len(42, 'x'), int(2, 17)), 1],
  ])('%s', (_, record, kept) => {
    expect(judged(record)).toEqual([['accepted', kept]])
  })

  test.each([
    ['error', true],
    ['ERR', true],
    ['Critical', true],
    ['FATAL3', true],
    ['SEVERITY_NUMBER_ERROR2', true],
    ['dpanic', true],
    ['emerg', true],
    ['Warning', false],
    ['notice', false],
    ['errors', false],
    ['', false],
  ])('severity text %j without a number', (name, isError) => {
    expect(isErrorSeverity(0, name)).toBe(isError)
  })
})

test('the time of a record is its own, else the one observed, else none', () => {
  const body = requestOf(join(fixed64(1, 5n), fixed64(11, 7n)), fixed64(11, 7n), join())
  const { startNano, endNano } = scanLogs(body, limits)
  expect([[...startNano], [...endNano]]).toEqual([
    [5n, 7n, 0n],
    [5n, 7n, 0n],
  ])
})

test('records under the names of before 2022 are found, in both encodings', () => {
  const old = len(1, len(1000, len(2, int(2, 17))))
  expect(scanLogs(old, limits).count).toBe(1)
  const json =
    '{"resource_logs":[{"instrumentation_library_logs":[{"instrumentation_library":{"name":"x"},"logs":[{"severity_number":17}]}]}]}'
  const [ctx] = [...decodeLogs(transcode(json).body)]
  expect([ctx!.scope.name, ctx!.log.severityNumber]).toEqual(['x', 17])
})

test.each([
  ['a cut record', requestOf(len(5, text('x'))).subarray(0, -1)],
  ['a malformed value in an attribute', requestOf(len(6, len(1, 'k'), len(2, Uint8Array.of(0x0a, 9, 1))))],
  ['a malformed body', requestOf(len(5, Uint8Array.of(0x0a, 9, 1)))],
])('%s is no protobuf', (_, body) => {
  expect(() => scanLogs(body, limits)).toThrow(OtlpDecodeError)
})

describe('in JSON', () => {
  test('ids that are no hex are kept as text, those that say nothing are none', () => {
    const { traceId, spanId, attributes } = logOf('"traceId":"trace_1","spanId":"span_1"')
    expect([traceId, spanId]).toEqual([parseTraceId('trace_1')!.bytes, parseSpanId('span_1')!.bytes])
    expect([...attributes.values()]).toEqual(['trace_1', 'span_1'])
    expect(logOf('"traceId":"","spanId":null').traceId).toHaveLength(0)
    expect(toHex(logOf('"traceId":"CvdlGRbNQ92ESOshHIAxnA=="').traceId)).toBe('0af7651916cd43dd8448eb211c80319c')
  })

  test.each([
    ['"severityNumber":17', 17],
    ['"severityNumber":"17"', 17],
    ['"severityNumber":"SEVERITY_NUMBER_FATAL2"', 22],
    ['"severityNumber":"INVALID_SEVERITY_VALUE"', 0],
    ['"severityNumber":null', 0],
  ])('%s', (field, severityNumber) => {
    expect(logOf(field).severityNumber).toBe(severityNumber)
  })

  test.each([
    ['{"stringValue":"a"}', 'a'],
    ['"a"', 'a'],
    ['{"kvlistValue":{"values":[{"key":"msg","value":{"stringValue":"a"}}]}}', new Map([['msg', 'a']])],
    ['null', null],
    ['{}', null],
  ])('the body %s', (json, body) => {
    expect(logOf(`"body":${json}`).body).toEqual(body)
  })

  test.each([
    ['"timeUnixNano":-1', 'time_out_of_range'],
    ['"observedTimeUnixNano":"18446744073709551616"', 'time_out_of_range'],
    ['"timeUnixNano":{"low":1}', 'time_out_of_range'],
    ['"traceId":[1,2]', 'id_unreadable'],
  ])('%s refuses that record and no other', (field, reason) => {
    const { body, rejected } = transcode(jsonOf(`{"traceId":"t",${field}}`, '{"severityNumber":9}'))
    expect(rejected.map((one) => one.reason)).toEqual([reason])
    expect(scanLogs(body, limits).count).toBe(1)
  })

  test.each(['{"resourceLogs":5}', '{"resourceLogs":[5]}', '{"resourceLogs":[{"scopeLogs":[{"logRecords":{}}]}]}', '[]'])(
    '%s is no request',
    (json) => {
      expect(() => transcode(json)).toThrow(OtlpDecodeError)
    },
  )
})

test('the names of severities stand at their numbers', () => {
  expect([SEVERITY_NAMES.length, SEVERITY_NAMES[17], SEVERITY_NAMES[24]]).toEqual([
    25,
    'SEVERITY_NUMBER_ERROR',
    'SEVERITY_NUMBER_FATAL4',
  ])
})

describe('in any request', () => {
  test('decoding gives back what was encoded', () => {
    fc.assert(fc.property(arbitraryLogs, (logs) => expect([...decodeLogs(encodeLogs(logs))]).toEqual(logs)))
  })

  test('JSON in any spelling says what protobuf says', () => {
    fc.assert(
      fc.property(arbitraryLogs, spelling, (logs, how) => {
        const { body, rejected } = transcodeLogsJson(toLogsJson(logs, how), limits)
        expect(rejected).toEqual([])
        expect([...decodeLogs(body)]).toEqual(logs)
      }),
    )
  })

  test('a walk finds what the decoder finds', () => {
    fc.assert(
      fc.property(arbitraryLogs, (logs) => {
        const body = encodeLogs(logs)
        const scan = scanLogs(body, limits)
        expect(scan.count).toBe(logs.length)
        logs.forEach(({ log }, row) => {
          expect(scan.hasError[row]).toBe(isKept(log) ? 1 : 0)
          expect(scan.startNano[row]).toBe(log.timeUnixNano || log.observedTimeUnixNano)
          const at = scan.traceIdAt[row]!
          expect(at === 0xffffffff ? new Uint8Array(0) : body.slice(at, at + 16)).toEqual(log.traceId)
        })
      }),
    )
  })

  test('damaged bytes are scanned or said to be none, and what is scanned can be decoded', () => {
    const damaged = arbitrarilyDamaged(arbitraryLogs.map(encodeLogs))
    fc.assert(
      fc.property(damaged, (body) => {
        const count = countOrNull(body)
        if (count !== null) expect([...decodeLogs(body)]).toHaveLength(count)
      }),
    )
  })
})

function isKept({ severityNumber, severityText, eventName, attributes }: LogInContext['log']): boolean {
  const hasText = (key: string) => typeof attributes.get(key) === 'string' && attributes.get(key) !== ''
  const isEvent = eventName === 'exception' || attributes.get('event.name') === 'exception'
  return isEvent || EXCEPTION_KEYS.some(hasText) || isErrorSeverity(severityNumber, severityText)
}

function countOrNull(body: Uint8Array): number | null {
  try {
    return scanLogs(body, limits).count
  } catch (error) {
    if (error instanceof OtlpDecodeError) return null
    throw error
  }
}
