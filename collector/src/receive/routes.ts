import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeStatus } from '@loopkit/shared/otlp/responses'
import { MEDIA_TYPES, parseContentType } from './content-type.ts'
import type { CorsPolicy } from './cors.ts'
import type { ExportHandler } from './export-handler.ts'
import { describeRefusal, type RefusalCode, refused, type Signal, statusOfRefusal } from './outcome.ts'

export interface RouteDeps {
  /** In front of `/v1/…`; '' or `/prefix`. */
  pathPrefix: string
  cors: CorsPolicy
  handleExport: ExportHandler
  /** null: ready; else why not. */
  unreadyReason(): string | null
  metricsText(): Promise<{ contentType: string; text: string }>
  onError(error: Error): void
}

export type RequestListener = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => void

/** Paths match exactly: no trailing slash, no query, no second slash. */
export function createRoutes(deps: RouteDeps): RequestListener {
  const signals = new Map<string, Signal>(
    (['traces', 'logs', 'metrics'] as const).map((signal) => [`${deps.pathPrefix}/v1/${signal}`, signal]),
  )
  return (request, response, expectsContinue) => {
    const path = request.url ?? ''
    const signal = signals.get(path)
    try {
      // A page that may not read an error is told nothing but that something failed.
      for (const [name, value] of Object.entries(deps.cors.headersFor(request.headers.origin))) response.setHeader(name, value)
      if (signal) routeExport(deps, request, response, signal, expectsContinue)
      else routePlain(deps, request, response, path)
    } catch (error) {
      deps.onError(error as Error)
      refuse(request, response, 'internal', 'the request could not be handled')
    }
  }
}

function routeExport(
  { cors, handleExport }: RouteDeps,
  request: IncomingMessage,
  response: ServerResponse,
  signal: Signal,
  expectsContinue: boolean,
): void {
  const { origin } = request.headers
  if (request.method === 'POST') {
    void handleExport({ request, response, signal, expectsContinue })
    return
  }
  const preflight =
    request.method === 'OPTIONS' ? cors.preflight(origin, request.headers['access-control-request-headers']) : null
  if (preflight) {
    response.writeHead(204, preflight)
    response.end()
  } else {
    response.setHeader('allow', 'POST')
    refuse(request, response, 'method_not_allowed', 'supported methods: POST')
  }
}

function routePlain(deps: RouteDeps, request: IncomingMessage, response: ServerResponse, path: string): void {
  if (path !== '/health' && path !== '/readyz' && path !== '/metrics')
    return void refuse(request, response, 'not_found', 'no such path; OTLP goes to /v1/traces, /v1/logs and /v1/metrics')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return void refuse(request, response, 'method_not_allowed', 'supported methods: GET, HEAD')
  }
  if (path === '/health') return void sendJson(response, 200, { status: 'ok' })
  if (path === '/readyz') {
    const reason = deps.unreadyReason()
    return void sendJson(
      response,
      reason === null ? 200 : 503,
      reason === null ? { status: 'ready' } : { status: 'not ready', reason },
    )
  }
  deps.metricsText().then(
    ({ contentType, text }) => {
      response.writeHead(200, { 'content-type': contentType })
      response.end(text)
    },
    (error: Error) => {
      deps.onError(error)
      refuse(request, response, 'internal', 'metrics are not available')
    },
  )
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

/** A google.rpc.Status in the request's own encoding; JSON where it names none. */
function refuse(request: IncomingMessage, response: ServerResponse, code: RefusalCode, message: string): void {
  if (response.headersSent) return
  const { status } = describeRefusal(code)
  const encoding = parseContentType(request.headers['content-type']) ?? 'json'
  const body = encodeStatus(statusOfRefusal(refused(code, message)), encoding)
  response.writeHead(status, { 'content-type': MEDIA_TYPES[encoding], 'content-length': body.length })
  response.end(body)
}
