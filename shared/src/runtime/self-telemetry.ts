import { type Tracer, trace } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Clock } from './clock.ts'

export interface SelfTelemetryOptions {
  /** `loopkit-collector` or `loopkit-analyzer`. */
  service: string
  version: string
  clock: Clock
  /** Takes one ExportTraceServiceRequest in protobuf. A failure drops it: our own spans are never worth a retry. */
  send(body: Uint8Array): Promise<void>
}

export interface SelfTelemetry {
  stop(): Promise<void>
}

/**
 * Most spans of our own that start in one second. Work that is done once per request of others must not double the load
 * that it measures, and a trace of our own that is sent to ourselves must never become the next one's cause.
 */
const SPANS_PER_SECOND_MAX = 50
/** Time between two sends, in ms. */
const SEND_EVERY_MS = 5_000
const QUEUE_SPANS_MAX = 512
/** OpenTelemetry's ExportResultCode. */
const EXPORT_SUCCESS = 0
const EXPORT_FAILED = 1

/**
 * Makes `trace.getTracer()` of @opentelemetry/api record the product's own work and hands it to `send`.
 * Without it the same calls do nothing. Bounded in rate and queue.
 */
export function startSelfTelemetry({ service, version, clock, send }: SelfTelemetryOptions): SelfTelemetry {
  const exporter: SpanExporter = {
    export: (spans: ReadableSpan[], done) => {
      const body = ProtobufTraceSerializer.serializeRequest(spans)
      if (!body) return done({ code: EXPORT_SUCCESS })
      send(body).then(
        () => done({ code: EXPORT_SUCCESS }),
        (error: Error) => done({ code: EXPORT_FAILED, error }),
      )
    },
    shutdown: async () => {},
  }
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.version': version }),
    sampler: createRateSampler(SPANS_PER_SECOND_MAX, clock),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: SEND_EVERY_MS,
        maxQueueSize: QUEUE_SPANS_MAX,
        maxExportBatchSize: QUEUE_SPANS_MAX,
      }),
    ],
  })
  trace.setGlobalTracerProvider(provider)
  return {
    stop: async () => {
      // The last spans may find their receiver stopped already: they are dropped as any others, and the end is clean.
      await provider.shutdown().catch(() => undefined)
      trace.disable()
    },
  }
}

/** The product's tracer; does nothing unless self-telemetry was started. */
export function ownTracer(): Tracer {
  return trace.getTracer('loopkit')
}

/** Records the first `perSecondMax` spans that start in each second and drops the others. */
export function createRateSampler(perSecondMax: number, clock: Clock): Sampler {
  let secondStartMs = Number.NEGATIVE_INFINITY
  let started = 0
  return {
    shouldSample: () => {
      const now = clock.monotonicMs()
      if (now - secondStartMs >= 1000) {
        secondStartMs = now
        started = 0
      }
      started++
      return { decision: started <= perSecondMax ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD }
    },
    toString: () => `RateSampler{${perSecondMax}/s}`,
  }
}
