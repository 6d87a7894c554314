import type { Attributes, Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  type IdGenerator,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

export interface ServiceTelemetryOptions {
  service: string
  /** Of its resource, beside its name. */
  resource: Attributes
  /** What every span says of the work under way. */
  attributesNow: () => Attributes
  encoding: 'json' | 'protobuf'
  /** Where spans go: base URL of OTLP/HTTP and the project's producer key. */
  otlpUrl: string
  producerKey: string
  idGenerator: IdGenerator
}

export interface ServiceTelemetry {
  tracer: Tracer
  /** Sends what is buffered; rejects when something could not be sent. */
  flush(): Promise<void>
  stop(): Promise<void>
  counts(): { sent: number; failed: number; error: string | null }
}

/** Well below the quiet time of the demo's product, so that the parts of a trace arrive close together. */
const EXPORT_DELAY_MS = 200
/** Room for every span of a demo: a dropped span would be a fault that nobody planted. */
const QUEUE_SPANS_MAX = 200_000
const EXPORT_TIMEOUT_MS = 20_000
const CONCURRENT_EXPORTS_MAX = 200

/** One service's own tracer provider with the SDK's batch processor and OTLP/HTTP exporter, as an application has it. */
export function createServiceTelemetry(options: ServiceTelemetryOptions): ServiceTelemetry {
  const counts = { sent: 0, failed: 0, error: null as string | null }
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service,
      'service.namespace': 'demo',
      'deployment.environment.name': 'demo',
      ...options.resource,
    }),
    idGenerator: options.idGenerator,
    spanProcessors: [
      onStart((span) => span.setAttributes(options.attributesNow())),
      new BatchSpanProcessor({
        exporter: counted(createExporter(options), counts),
        scheduledDelayMillis: EXPORT_DELAY_MS,
        maxQueueSize: QUEUE_SPANS_MAX,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  })
  return {
    tracer: provider.getTracer(`demo/${options.service}`, '1.0.0'),
    flush: () => provider.forceFlush(),
    stop: () => provider.shutdown(),
    counts: () => ({ ...counts }),
  }
}

function onStart(start: SpanProcessor['onStart']): SpanProcessor {
  return { onStart: start, onEnd: () => {}, forceFlush: async () => {}, shutdown: async () => {} }
}

function createExporter({ encoding, otlpUrl, producerKey }: ServiceTelemetryOptions): SpanExporter {
  const config = {
    url: `${otlpUrl}/v1/traces`,
    headers: { authorization: `Bearer ${producerKey}` },
    timeoutMillis: EXPORT_TIMEOUT_MS,
    concurrencyLimit: CONCURRENT_EXPORTS_MAX,
  }
  return encoding === 'json' ? new JsonTraceExporter(config) : new ProtobufTraceExporter(config)
}

/** The SDK tells nobody about a failed background export; the demo must know. */
function counted(exporter: SpanExporter, counts: { sent: number; failed: number; error: string | null }): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code === 0) counts.sent += spans.length
        else {
          counts.failed += spans.length
          counts.error ??= result.error?.message ?? 'unknown'
        }
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  }
}
