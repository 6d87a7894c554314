import type { MetricRegistry } from '@loopkit/shared/runtime/metric-registry'
import { describeRefusal, type RefusalCode, type Signal, type Transport } from '../receive/outcome.ts'
import { createProjectLabels } from './project-labels.ts'

/** What came in and what became of it. */
export interface ReceiverMetrics {
  countAccepted(signal: Signal, transport: Transport, items: number): void
  /** Items refused one by one, or with a request whose items were counted by then. */
  countRefused(signal: Signal, transport: Transport, items: number): void
  /** Items that were lost to a fault of ours. */
  countFailed(signal: Signal, transport: Transport, items: number): void
  countRefusedRequest(signal: Signal, transport: Transport, code: RefusalCode): void
  countNotKept(signal: Signal, items: number): void
  countSpans(projectId: string, what: string, spans: number): void
  observeRequest(signal: Signal, transport: Transport, status: number, seconds: number): void
}

/** As the Collector calls one of each signal in its metrics' names. */
const ITEMS = { traces: 'spans', logs: 'log_records', metrics: 'metric_points' } as const
const ITEM_WORDS = { traces: 'Spans', logs: 'Log records', metrics: 'Metric points' } as const
/** The Collector's name of the receiver that this product stands in for. */
const RECEIVER = 'otlp'
const RECEIVER_LABELS = ['receiver', 'transport'] as const
const SIGNALS = Object.keys(ITEMS) as Signal[]
/** Upper bounds in seconds, as OpenTelemetry advises for http.server.request.duration, with two below for an fsync. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function addReceiverMetrics(metrics: MetricRegistry): ReceiverMetrics {
  const items = (fate: string, words: string) => {
    const counters = Object.fromEntries(
      SIGNALS.map((signal) => [
        signal,
        metrics.counter({
          name: `otelcol_receiver_${fate}_${ITEMS[signal]}`,
          help: `${ITEM_WORDS[signal]} ${signal === 'traces' && fate === 'accepted' ? 'stored for the first time' : words}`,
          unit: `{${ITEMS[signal].slice(0, -1)}}`,
          labels: RECEIVER_LABELS,
        }),
      ]),
    )
    // Dashboards show rates: a series that is there from the start shows the first items too.
    for (const counter of Object.values(counters))
      for (const transport of ['http', 'grpc']) counter.inc({ receiver: RECEIVER, transport }, 0)
    return (signal: Signal, transport: Transport, count: number) => {
      if (count > 0) counters[signal]!.inc({ receiver: RECEIVER, transport }, count)
    }
  }
  return {
    countAccepted: items('accepted', 'that were taken, kept or not'),
    countRefused: items('refused', 'that were refused, for what they are or for want of room; the sender was told'),
    countFailed: items('failed', 'that could not be taken for a fault of ours; the sender was told to send them again'),
    ...addRequestMetrics(metrics),
    ...addFateMetrics(metrics),
  }
}

function addRequestMetrics(metrics: MetricRegistry): Pick<ReceiverMetrics, 'countRefusedRequest' | 'observeRequest'> {
  const refused = metrics.counter({
    name: 'loopkit_refused_requests_total',
    help: 'Requests refused as a whole',
    unit: '{request}',
    labels: ['signal', 'transport', 'code', 'status'],
  })
  const http = metrics.histogram({
    name: 'http_server_request_duration',
    help: 'Duration of OTLP/HTTP requests, from their headers to their answer',
    unit: 's',
    labels: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: REQUEST_SECONDS,
  })
  const grpc = metrics.histogram({
    name: 'rpc_server_call_duration',
    help: 'Duration of OTLP/gRPC calls, from their headers to their end',
    unit: 's',
    labels: ['rpc_system_name', 'rpc_method', 'rpc_response_status_code'],
    buckets: REQUEST_SECONDS,
  })
  return {
    countRefusedRequest: (signal, transport, code) =>
      refused.inc({ signal, transport, code, status: String(describeRefusal(code).status) }),
    observeRequest(signal, transport, status, seconds) {
      if (transport === 'grpc')
        grpc.observe(
          {
            rpc_system_name: 'grpc',
            rpc_method: GRPC_METHODS[signal],
            rpc_response_status_code: GRPC_CODES[status] ?? 'UNKNOWN',
          },
          seconds,
        )
      else
        http.observe(
          { http_request_method: 'POST', http_route: `/v1/${signal}`, http_response_status_code: String(status) },
          seconds,
        )
    },
  }
}

const GRPC_METHODS = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
} as const

/** By number, as gRPC numbers them. */
const GRPC_CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

function addFateMetrics(metrics: MetricRegistry): Pick<ReceiverMetrics, 'countNotKept' | 'countSpans'> {
  const notKept = metrics.counter({
    name: 'loopkit_not_kept_records_total',
    help: 'Log records and metric points that were taken and are not kept',
    unit: '{record}',
    labels: ['signal'],
  })
  const projectLabels = createProjectLabels()
  const spans = metrics.counter({
    name: 'loopkit_spans_total',
    help: 'Spans of answered requests by what became of them: accepted, deduplicated, replaced, conflict, `rejected:` and the reason; the first 100 projects by name, the others as `other`',
    unit: '{span}',
    labels: ['project', 'what'],
  })
  return {
    countNotKept: (signal, count) => notKept.inc({ signal }, count),
    countSpans: (projectId, what, count) => spans.inc({ project: projectLabels(projectId), what }, count),
  }
}
