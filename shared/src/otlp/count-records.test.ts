import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { countRecords } from './count-records.ts'
import { OtlpDecodeError } from './decode-error.ts'
import { arbitrarilyDamaged } from './fixtures/arbitrary-spans.ts'
import { int, join, len } from './fixtures/wire-fields.ts'

const limits = { jsonDepthMax: 300, jsonValuesMax: 4_000_000 }

const json = (signal: 'logs' | 'metrics', text: string) => countRecords(Buffer.from(text), signal, 'json', limits)

const LOGS = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}},{}]},{"logRecords":[]}]},{},null]}'
const METRICS =
  '{"resource_metrics":[{"scopeMetrics":[{"metrics":[{"name":"a","sum":{"dataPoints":[{},{}]}},{"exponential_histogram":{"data_points":[{}]}},{"gauge":null}]}]}]}'

test.each([
  ['logs', LOGS, 2],
  ['logs', '{}', 0],
  ['logs', METRICS, 0],
  ['logs', '{"resourceLogs":5}', 0],
  ['logs', '{"resourceLogs":[{"instrumentationLibraryLogs":[{"logs":[{}]}]}]}', 1],
  ['logs', '{"resourceLogs":[[[{"scopeLogs":[]}]]]}', 0],
  ['metrics', METRICS, 3],
  ['metrics', LOGS, 0],
] as const)('%s in JSON: %s', (signal, text, count) => {
  expect(json(signal, text)).toBe(count)
})

test('records in protobuf, where senders of before 2022 put them too', () => {
  const logs = join(len(1, len(2, len(2, 'not looked into'), len(2)), len(1000, len(2))), len(1), int(9, 1))
  expect(countRecords(new Uint8Array(0), 'logs', 'protobuf', limits)).toBe(0)
  const metric = (field: number) => len(2, len(1, 'name'), len(field, len(1), len(1)))
  const metrics = len(1, len(2, metric(5), metric(7), metric(9), metric(10), metric(11), metric(12)))
  expect(countRecords(metrics, 'metrics', 'protobuf', limits)).toBe(10)
  expect(countRecords(logs, 'logs', 'protobuf', limits)).toBe(3)
  expect(() => countRecords(logs.subarray(0, -1), 'logs', 'protobuf', limits)).toThrow(OtlpDecodeError)
})

test.each(['', '1234', '[]', LOGS.slice(1), `${LOGS},`, LOGS.replace('[]', '[1,]')])('%j is malformed', (text) => {
  expect(() => json('logs', text)).toThrow(OtlpDecodeError)
})

test('damaged bodies are counted or refused, never with another error', () => {
  const whole = fc.constantFrom(LOGS, METRICS).map((text) => new Uint8Array(Buffer.from(text)))
  fc.assert(
    fc.property(arbitrarilyDamaged(whole), fc.constantFrom('json' as const, 'protobuf' as const), (body, encoding) => {
      try {
        countRecords(body, 'logs', encoding, limits)
      } catch (error) {
        expect(error).toBeInstanceOf(OtlpDecodeError)
      }
    }),
  )
})

test('the logs and metrics of the demo capture are counted as JSON.parse sees them', () => {
  const path = '../shared/data/otlp/otel-demo-capture.json.gz'
  if (!existsSync(path)) return void console.warn(`${path} is absent: real logs and metrics are not counted`)
  const lines = gunzipSync(readFileSync(path)).toString('utf8').split('\n')
  for (const line of lines.filter((one) => one.startsWith('{"resourceLogs"') || one.startsWith('{"resourceMetrics"'))) {
    const signal = line.startsWith('{"resourceLogs"') ? 'logs' : 'metrics'
    let expected = 0
    JSON.parse(line, (key, value) => {
      if (key === (signal === 'logs' ? 'logRecords' : 'dataPoints')) expected += value.length
      return value
    })
    expect(json(signal, line)).toBe(expected)
  }
})
