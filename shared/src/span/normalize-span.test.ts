import { describe, expect, test } from '@jest/globals'
import { parseSpanId, parseTraceId } from '../otlp/ids.ts'
import type { OtlpSpan, OtlpValue } from '../otlp/model.ts'
import { contextOf } from './conventions/sent-span.fixture.ts'
import { type NormalizeHow, normalizeSpan } from './normalize-span.ts'
import { decodeRecordId } from './record-id.ts'

const HOW: NormalizeHow = {
  receivedAtMs: 1_781_856_060_000,
  sessionId: 'sess-1',
  signalType: 'exception',
  limits: { attributesShownMax: 3, attributeShownMaxBytes: 100 },
}

const recordOf = (sent: Parameters<typeof contextOf>[0], change: Partial<OtlpSpan> = {}, how = HOW) => {
  const ctx = contextOf(sent)
  return normalizeSpan({ ...ctx, span: { ...ctx.span, ...change } }, how)
}

test('a record holds what was sent and the view beside it', () => {
  const record = recordOf({
    name: 'GET /users/{id}',
    kind: 2,
    resource: { 'service.name': 'users', 'service.version': '1.9.3' },
    attributes: { 'http.request.method': 'GET', 'http.route': '/users/{id}' },
    events: [{ name: 'cache.miss', attributes: { key: 'u' } }],
  })
  expect(record).toEqual({
    record_id: record.record_id,
    kind: 'span',
    trace_id: '07'.repeat(16),
    span_id: '09'.repeat(8),
    parent_span_id: null,
    session_id: 'sess-1',
    name: 'GET /users/{id}',
    service: 'users',
    span_kind: 2,
    signal_type: 'exception',
    received_at: '2026-06-19T08:01:00.000Z',
    start_unix_nano: '1781856000000000000',
    end_unix_nano: '1781856000250000000',
    status: { code: 0, message: '' },
    attributes: { 'http.request.method': 'GET', 'http.route': '/users/{id}' },
    events: [{ name: 'cache.miss', time_unix_nano: '1781856000100000000', attributes: { key: 'u' } }],
    resource: { attributes: { 'service.name': 'users', 'service.version': '1.9.3' }, schema_url: '' },
    scope: { name: '', version: '', attributes: {}, schema_url: '' },
    links: [],
    trace_state: '',
    flags: 0,
    dropped: { attributes: 0, events: 0, links: 0 },
    operation: 'GET /users/{id}',
    agent: null,
    tool: null,
    model: null,
    tokens: { input: null, output: null, total: null, cache_read: null, cache_creation: null, reasoning: null },
    cost_usd: null,
    user: null,
    release: '1.9.3',
    environment: null,
    derived_from: {
      service: 'resource.service.name',
      release: 'resource.service.version',
      kind: 'http.request.method',
      operation: 'http.route',
    },
    clock_suspect: false,
    shown_cut: { attributes: 0, values: 0, events: 0, links: 0 },
  })
  expect(decodeRecordId(record.record_id)).toEqual({ traceId: new Uint8Array(16).fill(7), spanId: new Uint8Array(8).fill(9) })
})

describe('ids that were sent as text', () => {
  const trace = parseTraceId('trace_1')!
  const span = parseSpanId('span_1')!
  const parent = parseSpanId('span_0')!
  const ids = { traceId: trace.bytes, spanId: span.bytes, parentSpanId: parent.bytes }
  const originals = {
    'loopkit.original_trace_id': 'trace_1',
    'loopkit.original_span_id': 'span_1',
    'loopkit.original_parent_span_id': 'span_0',
  }

  test('are shown as that text, and their attributes are not shown', () => {
    const { trace_id, span_id, parent_span_id, attributes } = recordOf({ name: 'x', attributes: { ...originals, a: 1 } }, ids)
    expect({ trace_id, span_id, parent_span_id }).toEqual({ trace_id: 'trace_1', span_id: 'span_1', parent_span_id: 'span_0' })
    expect(attributes).toEqual({ a: 1 })
  })

  test('are not believed where the id is not the hash of the text: then they are an attribute like any other', () => {
    const record = recordOf({ name: 'x', attributes: { 'loopkit.original_trace_id': 'someone_else' } })
    expect(record.trace_id).toBe('07'.repeat(16))
    expect(record.attributes).toEqual({ 'loopkit.original_trace_id': 'someone_else' })
  })

  test('are shown in links too', () => {
    const link = {
      ...ids,
      traceState: '',
      droppedAttributesCount: 0,
      flags: 0,
      attributes: new Map<string, OtlpValue>(Object.entries(originals)),
    }
    const record = recordOf({ name: 'x' }, { links: [link] })
    expect(record.links[0]).toMatchObject({ trace_id: 'trace_1', span_id: 'span_1' })
  })
})

describe('what is shown is bounded, and the cut is counted', () => {
  test('attributes beyond the limit are left out', () => {
    const record = recordOf({ name: 'x', attributes: { a: 1, b: 2, c: 3, d: 4, e: 5 } })
    expect(record.attributes).toEqual({ a: 1, b: 2, c: 3 })
    expect(record.shown_cut).toEqual({ attributes: 2, values: 0, events: 0, links: 0 })
  })

  test('long values, names, keys and messages are shortened', () => {
    const long = 'ü'.repeat(1_000_000)
    const record = recordOf(
      { name: long, attributes: { [long]: long } },
      { status: { code: 2, message: long }, traceState: long },
    )
    expect(JSON.stringify(record).length).toBeLessThan(5_000)
    expect(record.name).toMatch(/^ü{50}…\[1999900 bytes cut\]$/)
    expect(record.shown_cut.values).toBe(5)
  })

  test('events and links beyond a thousand are left out', () => {
    const events = Array.from({ length: 1_500 }, () => ({ name: 'e', attributes: {} }))
    const record = recordOf({ name: 'x', events })
    expect(record.events.length).toBe(1_000)
    expect(record.shown_cut.events).toBe(500)
  })
})

describe('hostile spans', () => {
  test('`__proto__` as a key is data everywhere', () => {
    const attributes = JSON.parse('{"__proto__":"x"}') as Record<string, string>
    const record = recordOf({ name: 'x', attributes, events: [{ name: 'e', attributes }] })
    expect(JSON.stringify(record.attributes)).toBe('{"__proto__":"x"}')
    expect(JSON.stringify(record.events[0]?.attributes)).toBe('{"__proto__":"x"}')
  })

  test('NUL and lone surrogates are shown as U+FFFD', () => {
    expect(recordOf({ name: 'a\0\udfff' }).name).toBe('a\ufffd\ufffd')
  })

  test('times beyond 2^63 are shown as sent and flagged', () => {
    const record = recordOf({ name: 'x' }, { startUnixNano: 2n ** 64n - 1n, endUnixNano: 0n })
    expect(record).toMatchObject({ start_unix_nano: '18446744073709551615', end_unix_nano: null, clock_suspect: true })
  })
})
