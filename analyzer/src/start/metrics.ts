import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import type { RequestOutcome } from '../http/door.ts'

export interface Metrics {
  text(): Promise<string>
  observe(outcome: RequestOutcome): void
}

/** Upper bounds in seconds, as OpenTelemetry advises for http.server.request.duration. */
const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** The analyzer's metrics, named as OpenTelemetry names them. Routes are templates: the number of series is bounded. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP requests by route template',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: DURATION_BUCKETS_S,
    registers: [registry],
  })
  return {
    text: () => registry.metrics(),
    observe: ({ facts, status, durationMs }) =>
      duration.observe(
        {
          http_request_method: KNOWN_METHODS.has(facts.method) ? facts.method : '_OTHER',
          http_route: facts.route ?? 'unmatched',
          http_response_status_code: status,
        },
        durationMs / 1000,
      ),
  }
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
