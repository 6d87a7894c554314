import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AnyValueJson, KeyValueJson, SpanJson, TraceRequestJson } from '../harness/otlp-json.ts'
import { sharedData } from '../harness/shared-data.ts'

/** One captured request a line: `resourceSpans`, `resourceLogs` or `resourceMetrics`. */
export function readCapture(): { line: string; kind: 'traces' | 'logs' | 'metrics' }[] {
  return gunzipSync(readFileSync(join(sharedData, 'otlp', 'otel-demo-capture.json.gz')))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({
      line,
      kind: line.startsWith('{"resourceSpans"') ? 'traces' : line.startsWith('{"resourceLogs"') ? 'logs' : 'metrics',
    }))
}

/** What a span must come back as, by rules written apart from the product's. */
export interface ExpectedRecord {
  traceId: string
  spanId: string
  record: Record<string, unknown>
}

/** Every span of a request with what a reader must be shown of it. */
export function expectedRecords({ resourceSpans }: TraceRequestJson): ExpectedRecord[] {
  return resourceSpans.flatMap((envelope) =>
    envelope.scopeSpans.flatMap((scopeSpans) =>
      scopeSpans.spans.map((span) => ({
        traceId: span.traceId.toLowerCase(),
        spanId: span.spanId.toLowerCase(),
        record: {
          ...ownFields(span),
          resource: { attributes: toPlain(envelope.resource?.attributes), schema_url: envelope.schemaUrl ?? '' },
          scope: { name: scopeSpans.scope?.name ?? '', version: scopeSpans.scope?.version ?? '' },
        },
      })),
    ),
  )
}

function ownFields(span: SpanJson): Record<string, unknown> {
  return {
    trace_id: span.traceId.toLowerCase(),
    span_id: span.spanId.toLowerCase(),
    parent_span_id: span.parentSpanId ? span.parentSpanId.toLowerCase() : null,
    name: span.name,
    span_kind: span.kind ?? 0,
    start_unix_nano: String(span.startTimeUnixNano),
    end_unix_nano: Number(span.endTimeUnixNano ?? 0) === 0 ? null : String(span.endTimeUnixNano),
    status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
    attributes: toPlain(span.attributes),
    events: (span.events ?? []).map(({ name, attributes }) => ({ name: name ?? '', attributes: toPlain(attributes) })),
    links: (span.links ?? []).map(({ traceId, spanId, attributes }) => ({
      trace_id: traceId,
      span_id: spanId,
      attributes: toPlain(attributes),
    })),
    trace_state: span.traceState ?? '',
    flags: span.flags ?? 0,
  }
}

function toPlain(attributes: KeyValueJson[] | undefined): Record<string, unknown> {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, plainValue(value ?? {})]))
}

function plainValue(value: AnyValueJson): unknown {
  if ('intValue' in value) {
    const number = Number(value.intValue)
    return Number.isSafeInteger(number) ? number : String(value.intValue)
  }
  if ('arrayValue' in value) return (value.arrayValue.values ?? []).map(plainValue)
  if ('kvlistValue' in value) return toPlain(value.kvlistValue.values)
  return Object.values(value)[0] ?? null
}
