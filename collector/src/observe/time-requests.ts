import { constants, type ServerHttp2Stream } from 'node:http2'
import type { ExportExchange, ExportHandler } from '../receive/export-handler.ts'
import type { Signal, Transport } from '../receive/outcome.ts'

/** Told of each export that was answered: its HTTP status, or its gRPC code. */
export type OnRequest = (transport: Transport, signal: Signal, status: number, ms: number) => void

/** The same handler, timed from a request's headers to its answer. Who went away before an answer is not counted. */
export function timeExports(handle: ExportHandler, onRequest: OnRequest, monotonicMs: () => number): ExportHandler {
  return async (exchange: ExportExchange) => {
    const startedMs = monotonicMs()
    await handle(exchange)
    const { response, signal } = exchange
    if (response.headersSent) onRequest('http', signal, response.statusCode, monotonicMs() - startedMs)
  }
}

const SIGNALS: readonly (readonly [service: string, signal: Signal])[] = [
  ['TraceService', 'traces'],
  ['LogsService', 'logs'],
  ['MetricsService', 'metrics'],
]
const CANCELLED = 1

/** Times one gRPC call, from its headers to its end. */
export function timeCall(
  stream: ServerHttp2Stream,
  path: string | undefined,
  onRequest: OnRequest,
  monotonicMs: () => number,
): void {
  const signal = SIGNALS.find(([service]) => path?.includes(service))?.[1]
  if (!signal) return
  const startedMs = monotonicMs()
  stream.once('close', () => {
    // A refusal has its code among the headers, a success among the trailers, a cut call has none.
    const code = stream.sentTrailers?.['grpc-status'] ?? stream.sentHeaders?.['grpc-status']
    const isCut = stream.rstCode !== constants.NGHTTP2_NO_ERROR
    if (code !== undefined || isCut) onRequest('grpc', signal, Number(code ?? CANCELLED), monotonicMs() - startedMs)
  })
}
