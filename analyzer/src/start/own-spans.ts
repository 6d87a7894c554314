import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { ownTracer, startSelfTelemetry } from '@loopkit/shared/runtime/self-telemetry'
import type { InternalKey } from '../control/internal-key.ts'
import type { RequestOutcome } from '../http/door.ts'
import type { CollectorAddress } from './addresses.ts'

export interface OwnSpansDeps {
  clock: Clock
  version: string
  key: InternalKey
  findCollector: () => CollectorAddress | null
}

export interface OwnSpans {
  observe(outcome: RequestOutcome): void
  stop(): Promise<void>
}

/** SpanKind.SERVER and SpanStatusCode.ERROR of @opentelemetry/api. */
const SERVER = 1
const ERROR = 2
/** How long one send may take, in ms; what does not arrive is dropped. */
const SEND_TIMEOUT_MS = 5_000
/** Requests that would only show us ourselves: probes, and OTLP on its way to the collector. */
const UNSEEN = new Set(['/health', '/readyz', '/metrics', '/v1/traces', '/v1/logs', '/v1/metrics'])

/** One span per request of the analyzer, sent straight to the collector, so that sending them makes no span. */
export function startOwnSpans({ clock, version, key, findCollector }: OwnSpansDeps): OwnSpans {
  const send = async (body: Uint8Array): Promise<void> => {
    const collector = findCollector()
    if (!collector) return
    const { host, port, pathPrefix, socketPath } = collector
    const request = httpRequest({
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      path: `${pathPrefix}/v1/traces`,
      method: 'POST',
      headers: { authorization: `Bearer ${key.get()}`, 'content-type': 'application/x-protobuf', 'content-length': body.length },
      signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
    })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
  }
  const { stop } = startSelfTelemetry({ service: 'loopkit-analyzer', version, clock, send })
  return {
    observe: ({ facts, status, code, durationMs }) => {
      if (facts.route === null || UNSEEN.has(facts.route)) return
      const endMs = clock.nowMs()
      const span = ownTracer().startSpan(`${facts.method} ${facts.route}`, {
        kind: SERVER,
        startTime: endMs - durationMs,
        attributes: {
          'http.request.method': facts.method,
          'http.route': facts.route,
          'http.response.status_code': status,
          'loopkit.request_id': facts.id,
          ...(code !== null && status >= 500 && { 'error.type': code }),
        },
      })
      if (status >= 500) span.setStatus({ code: ERROR, message: code ?? undefined })
      span.end(endMs)
    },
    stop: async () => {
      await stop()
      key.revoke()
    },
  }
}
