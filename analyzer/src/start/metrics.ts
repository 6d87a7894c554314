import { createMetricRegistry, type MetricRow, type MetricsText } from '@loopkit/shared/runtime/metric-registry'
import { addProcessMetrics } from '@loopkit/shared/runtime/process-metrics'
import type { RequestOutcome } from '../http/door.ts'
import type { AskTelemetry } from '../telemetry/read-pool.ts'

export interface Metrics {
  text(): Promise<MetricsText>
  /** For docs/generated/metrics.md. */
  describe(): Promise<MetricRow[]>
  observe(outcome: RequestOutcome): void
  /** The same, timed by question. */
  timeReads(ask: AskTelemetry): AskTelemetry
  stop(): void
}

export interface MetricsOptions {
  version: string
  instanceId: string
  droppedLines(): number
}

/** Upper bounds in seconds, as OpenTelemetry advises for http.server.request.duration. */
const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** The analyzer's metrics, named as OpenTelemetry names them. Routes are templates: the number of series is bounded. */
export function createMetrics({ version, instanceId, droppedLines }: MetricsOptions): Metrics {
  const registry = createMetricRegistry()
  const duration = registry.histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP requests by route template',
    unit: 's',
    labels: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: DURATION_BUCKETS_S,
  })
  const reads = registry.histogram({
    name: 'loopkit_read_duration_seconds',
    help: 'Time of one question to telemetry.db, its wait for a reader counted in',
    unit: 's',
    labels: ['question', 'outcome'],
    buckets: DURATION_BUCKETS_S,
  })
  let underWay = 0
  registry.gauge(
    { name: 'loopkit_reads_under_way', help: 'Questions to telemetry.db that wait or are answered', unit: '{read}' },
    () => underWay,
  )
  const { stop } = addProcessMetrics(registry, { service: 'loopkit-analyzer', version, instanceId, droppedLines })
  return {
    stop,
    text: registry.text,
    describe: registry.describe,
    observe: ({ facts, status, durationMs }) =>
      duration.observe(
        {
          http_request_method: KNOWN_METHODS.has(facts.method) ? facts.method : '_OTHER',
          http_route: facts.route ?? 'unmatched',
          http_response_status_code: status,
        },
        durationMs / 1000,
      ),
    timeReads: (ask) => async (name, question) => {
      const end = reads.startTimer({ question: name })
      underWay++
      try {
        const answer = await ask(name, question)
        end({ outcome: 'answered' })
        return answer
      } catch (error) {
        end({ outcome: 'failed' })
        throw error
      } finally {
        underWay--
      }
    },
  }
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
