import { readFileSync } from 'node:fs'
import {
  type Attributes,
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import type { AnyValueJson, KeyValueJson, SpanJson, TraceRequestJson } from '../../harness/otlp-json.ts'

// Sends the spans of a plan (OTLP JSON, the file named on the command line) through the SDK, the batch processor and the
// exporter that the OTEL_ variables ask for; prints what the exporter said of its batches.

const SPANS_PER_BATCH = 64
const EXPORTERS = { 'http/json': JsonExporter, 'http/protobuf': ProtobufExporter, grpc: GrpcExporter }

const plan: TraceRequestJson = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const outcome = { succeeded: 0, failed: 0, errors: [] as string[] }
const nextIds = { traceId: '', spanId: '' }

function recordOutcome(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code === 0) outcome.succeeded++
        else outcome.failed++
        if (result.error) outcome.errors.push(String(result.error))
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  }
}

function toValue(value: AnyValueJson | undefined): unknown {
  if (!value) return null
  if ('intValue' in value || 'doubleValue' in value) return Number(Object.values(value)[0])
  if ('bytesValue' in value) return new Uint8Array(Buffer.from(value.bytesValue, 'base64'))
  if ('arrayValue' in value) return (value.arrayValue.values ?? []).map(toValue)
  if ('kvlistValue' in value) return toAttributes(value.kvlistValue.values)
  return Object.values(value)[0] ?? null
}

function toAttributes(attributes: KeyValueJson[] | undefined): Attributes {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, toValue(value)])) as Attributes
}

function toTime(nanoseconds: string | number | undefined): [number, number] {
  const nano = BigInt(nanoseconds ?? 0)
  return [Number(nano / 1_000_000_000n), Number(nano % 1_000_000_000n)]
}

function toContext(traceId: string, spanId: string, traceState = ''): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    ...(traceState !== '' && { traceState: createTraceState(traceState) }),
  }
}

function parentOf({ traceId, parentSpanId, traceState }: SpanJson): Context {
  return parentSpanId ? trace.setSpanContext(ROOT_CONTEXT, toContext(traceId, parentSpanId, traceState)) : ROOT_CONTEXT
}

const [envelope] = plan.resourceSpans
const scope = envelope?.scopeSpans[0]
const Exporter = EXPORTERS[process.env.OTEL_EXPORTER_OTLP_PROTOCOL as keyof typeof EXPORTERS]
const processor = new BatchSpanProcessor({
  exporter: recordOutcome(new Exporter()),
  maxExportBatchSize: SPANS_PER_BATCH,
})
const provider = new TracerProvider({
  resource: resourceFromAttributes(toAttributes(envelope?.resource?.attributes) as Parameters<typeof resourceFromAttributes>[0]),
  idGenerator: { generateTraceId: () => nextIds.traceId, generateSpanId: () => nextIds.spanId },
  spanProcessors: [processor],
})
const tracer = provider.getTracer(scope?.scope?.name ?? '', scope?.scope?.version)

for (const planned of scope?.spans ?? []) {
  nextIds.traceId = planned.traceId
  nextIds.spanId = planned.spanId
  const span = tracer.startSpan(
    planned.name,
    {
      kind: (planned.kind ?? 1) - 1,
      startTime: toTime(planned.startTimeUnixNano),
      attributes: toAttributes(planned.attributes),
      links: (planned.links ?? []).map((link) => ({
        context: toContext(link.traceId, link.spanId, link.traceState),
        attributes: toAttributes(link.attributes),
      })),
    },
    parentOf(planned),
  )
  for (const event of planned.events ?? [])
    span.addEvent(event.name ?? '', toAttributes(event.attributes), toTime(event.timeUnixNano))
  if (planned.status?.code) span.setStatus({ code: planned.status.code, message: planned.status.message })
  span.end(toTime(planned.endTimeUnixNano))
}

await provider.forceFlush().catch((error: unknown) => outcome.errors.push(`flush: ${error}`))
await provider.shutdown().catch((error: unknown) => outcome.errors.push(`shutdown: ${error}`))
console.log(JSON.stringify(outcome))
