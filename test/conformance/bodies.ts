import { join, len, requestOf } from '@loopkit/shared/otlp/fixtures/wire-fields'
import { type SpanJson, spanJson, type TraceRequestJson, traceRequest } from '../harness/otlp-json.ts'

/** Stands for the trace id in a JSON body that is written as text. */
export const TRACE = '$T'
export const A = 'a'.repeat(16)
export const B = 'b'.repeat(16)
export const C = 'c'.repeat(16)
export const START = '1781856000000000000'
export const END = '1781856000005000000'

/** A request in JSON as text, so that a row can write what no encoder would. */
export const jsonRequest = (...spans: string[]): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join(',')}]}]}]}`

/** A span as text: ids, what is given, and what a span needs besides. */
export function jsonSpan(fields: string, spanId = A): string {
  const rest = fields === '' ? '' : `,${fields}`
  const times = fields.includes('TimeUnixNano"') ? '' : `,"startTimeUnixNano":"${START}","endTimeUnixNano":"${END}"`
  return `{"traceId":"${TRACE}","spanId":"${spanId}"${times}${rest}}`
}

/** One span with these fields. */
export const oneSpan = (fields: string): string => jsonRequest(jsonSpan(fields))

/** One span with one attribute `k`, whose value is written as given. */
export const oneValue = (value: string): string => oneSpan(`"attributes":[{"key":"k","value":${value}}]`)

/** A span between two sound ones. */
export const between = (span: string): string => jsonRequest(jsonSpan('"name":"a"'), span, jsonSpan('"name":"c"', C))
export const NEIGHBOURS = [
  { span_id: A, name: 'a' },
  { span_id: C, name: 'c' },
]

export const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** The fields that every sound span has, on the wire. */
export const wireIds = (traceId: Uint8Array, spanId = A): Uint8Array => join(len(1, traceId), len(2, hex(spanId)))

/** One span with these fields, on the wire. */
export const wireSpan =
  (...fields: Uint8Array[]) =>
  (traceId: Uint8Array): Uint8Array =>
    requestOf(join(wireIds(traceId), ...fields))

/** A span between two sound ones, on the wire. */
export const wireBetween =
  (span: (traceId: Uint8Array) => Uint8Array) =>
  (traceId: Uint8Array): Uint8Array =>
    requestOf(join(wireIds(traceId), len(5, 'a')), span(traceId), join(wireIds(traceId, C), len(5, 'c')))

/** A request of these spans, for both encodings. */
export const both =
  (...spans: (Partial<SpanJson> & { spanId?: string })[]) =>
  (traceId: string): TraceRequestJson =>
    traceRequest(
      'conformance',
      spans.map((span) => spanJson({ traceId, spanId: A, startTimeUnixNano: START, endTimeUnixNano: END, ...span })),
    )
