import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import type { Random } from './random.ts'
import { contextOf } from './trace-context.ts'
import type { TraceIds } from './trace-ids.ts'

/** Header by which the driver says which planted fault strikes; never in the telemetry. */
export const FAULT_HEADER = 'x-demo-fault'

export interface Incoming {
  params: Record<string, string>
  query: URLSearchParams
  body: Record<string, unknown>
  fault: string | null
  random: Random
}

export interface Reply {
  status: number
  body: unknown
}

export interface Route {
  method: string
  template: string
  handle(incoming: Incoming, span: Span): Promise<Reply> | Reply
}

export interface Listening {
  url: string
  stop(): Promise<void>
}

/** Listens on a free port of the loopback. */
export async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Listening> {
  const server: Server = createServer({ keepAliveTimeout: 60_000 }, handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export interface TracedService {
  tracer: Tracer
  ids: TraceIds
  routes: readonly Route[]
  /** Whether a failed request tells its caller why; a public service does not. */
  tellsErrors: boolean
}

/** A small JSON service whose requests are SERVER spans, as an HTTP server instrumentation makes them. */
export function serveTraced(service: TracedService): Promise<Listening> {
  return listen((request, response) => {
    const traceparent = String(request.headers.traceparent ?? '')
    const traceId = traceparent.split('-')[1] ?? ''
    void service.ids.run(traceId, traceparent, (random) => answer(service, { request, response, traceparent, random }))
  })
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  traceparent: string
  random: Random
}

async function answer({ tracer, routes, tellsErrors }: TracedService, exchange: Exchange): Promise<void> {
  const { request, response, traceparent, random } = exchange
  const url = new URL(request.url ?? '/', 'http://localhost')
  const method = request.method ?? 'GET'
  const found = match(routes, method, url.pathname)
  const attributes = {
    'http.request.method': method,
    'url.path': url.pathname,
    'url.scheme': 'http',
    ...(found && { 'http.route': found.route.template }),
  }
  const span = tracer.startSpan(
    found ? `${method} ${found.route.template}` : method,
    { kind: SpanKind.SERVER, attributes },
    contextOf(traceparent),
  )
  const reply = await context.with(trace.setSpan(contextOf(traceparent), span), async (): Promise<Reply> => {
    if (!found) return { status: 404, body: { error: 'not found' } }
    try {
      const body = JSON.parse((await text(request)) || '{}') as Record<string, unknown>
      const fault = (request.headers[FAULT_HEADER] as string | undefined) ?? null
      return await found.route.handle({ params: found.params, query: url.searchParams, body, fault, random }, span)
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
      return { status: 500, body: { error: { message: tellsErrors ? (error as Error).message : 'Internal Server Error' } } }
    }
  })
  span.setAttribute('http.response.status_code', reply.status)
  if (reply.status >= 500) span.setAttribute('error.type', String(reply.status))
  span.end()
  response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body))
}

function match(routes: readonly Route[], method: string, path: string): { route: Route; params: Record<string, string> } | null {
  const given = path.split('/')
  for (const route of routes) {
    const wanted = route.template.split('/')
    if (route.method !== method || wanted.length !== given.length) continue
    const fits = wanted.every((part, at) => part === given[at] || (part.startsWith('{') && given[at] !== ''))
    if (fits) return { route, params: Object.fromEntries(wanted.map((part, at) => [part.slice(1, -1), given[at] ?? ''])) }
  }
  return null
}

/** The whole body as text. */
export async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
