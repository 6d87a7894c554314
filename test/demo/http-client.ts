import { type Agent, request } from 'node:http'
import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { traceparentOf } from './trace-context.ts'

export interface Call {
  method: 'GET' | 'POST' | 'DELETE'
  /** Where it really goes. */
  baseUrl: string
  /** What the callee is called: the telemetry names it as if it had a machine of its own. */
  host: string
  path: string
  /** Low-cardinality form of the path: names the span. */
  template: string
  body?: unknown
  /** The demo's own words between its parts; never in the telemetry. */
  headers?: Record<string, string>
  timeoutMs?: number
}

export interface Answer {
  status: number
  body: Record<string, unknown>
}

/** The callee answered that the call failed. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** No answer came in time. */
export class CallTimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

const TIMEOUT_MS = 10_000

/** Sends one JSON request over real HTTP; rejects on network errors and with CallTimeoutError. */
export function send(agent: Agent, call: Call, traceparent: string): Promise<Answer> {
  const timeoutMs = call.timeoutMs ?? TIMEOUT_MS
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${call.baseUrl}${call.path}`,
      { method: call.method, agent, headers: { ...call.headers, 'content-type': 'application/json', traceparent } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          clearTimeout(timer)
          resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) })
        })
      },
    )
    const timer = setTimeout(() => {
      outgoing.destroy(new CallTimeoutError(`no answer from ${call.template} within ${timeoutMs} ms`))
    }, timeoutMs)
    outgoing.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    outgoing.end(call.body === undefined ? undefined : JSON.stringify(call.body))
  })
}

/**
 * The same inside a CLIENT span with the attributes of an HTTP instrumentation.
 * 5xx and 4xx are errors of the span, but for 404, which this application expects. Rejects with CallError on either.
 */
export function callTraced(tracer: Tracer, agent: Agent, call: Call): Promise<Answer> {
  const attributes = {
    'http.request.method': call.method,
    'url.full': `http://${call.host}${call.path}`,
    'url.template': call.template,
    'server.address': call.host,
  }
  return tracer.startActiveSpan(`${call.method} ${call.template}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      const answer = await send(agent, call, traceparentOf(span))
      span.setAttribute('http.response.status_code', answer.status)
      if (answer.status < 400 || answer.status === 404) return answer
      throw new CallError(errorText(answer), answer.status)
    } catch (error) {
      failCall(span, error as Error)
      throw error
    } finally {
      span.end()
    }
  })
}

/** Marks a client span as failed the way HTTP instrumentations do: a status for an answer, an exception for none. */
function failCall(span: Span, error: Error): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  if (error instanceof CallError) span.setAttribute('error.type', String(error.status))
  else {
    span.setAttribute('error.type', (error as NodeJS.ErrnoException).code ?? error.name)
    span.recordException(error)
  }
}

/** What a callee says about its failure: `{ error: { message } }` or `{ error: text }`. */
function errorText({ body, status }: Answer): string {
  const error = body.error
  if (typeof error === 'string') return error
  if (error && typeof error === 'object' && 'message' in error) return String(error.message)
  return `HTTP ${status}`
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text || '{}') as Record<string, unknown>
  } catch {
    return { error: text }
  }
}
