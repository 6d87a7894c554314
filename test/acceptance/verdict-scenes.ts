import { randomBytes } from 'node:crypto'
import { type SpanJson, spanJson, type TraceRequestJson, traceRequest } from '../harness/otlp-json.ts'

export const DAY_MS = 24 * 3_600_000
const REQUEST_SPANS = 1_000

/** Runs of one operation, one trace each, evenly spread over days before now; so are the failures among them. */
export interface Stretch {
  fromDay: number
  toDay: number
  runs: number
  failures: number
  release?: string
  operation?: string
  message?: string
}

/** Everything as requests of one service. */
export function drawScene(nowMs: number, stretches: readonly Stretch[]): TraceRequestJson[] {
  return stretches.flatMap((stretch) => {
    const spans = spansOf(nowMs, stretch)
    const resource: Record<string, string> = stretch.release === undefined ? {} : { 'service.version': stretch.release }
    const parts = Array.from({ length: Math.ceil(spans.length / REQUEST_SPANS) }, (_, i) =>
      spans.slice(i * REQUEST_SPANS, (i + 1) * REQUEST_SPANS),
    )
    return parts.map((part) => traceRequest('shop', part, resource))
  })
}

function spansOf(
  nowMs: number,
  { fromDay, toDay, runs, failures, operation = 'charge', message = 'card declined' }: Stretch,
): SpanJson[] {
  const [fromMs, toMs] = [nowMs - fromDay * DAY_MS, nowMs - toDay * DAY_MS]
  return Array.from({ length: runs }, (_, i) => {
    const fails = Math.floor(((i + 1) * failures) / runs) > Math.floor((i * failures) / runs)
    const endMs = fromMs + Math.floor(((i + 0.5) * (toMs - fromMs)) / runs)
    return spanJson({
      ...{ traceId: hex(16), spanId: hex(8), name: operation },
      startTimeUnixNano: String(BigInt(endMs - 5) * 1_000_000n),
      endTimeUnixNano: String(BigInt(endMs) * 1_000_000n),
      ...(fails && { status: { code: 2, message } }),
    })
  })
}

/** One that is seen once it is decided, and with it all that was sent before. */
export function failingTrace(): { traceId: string; span: SpanJson } {
  const traceId = hex(16)
  return { traceId, span: spanJson({ traceId, spanId: hex(8), name: 'last', status: { code: 2, message: 'the last' } }) }
}

const hex = (bytes: number) => randomBytes(bytes).toString('hex')
