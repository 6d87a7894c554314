import type { OtlpSpan, OtlpValue } from '../otlp/model.ts'
import { isClaudeCode } from '../span/conventions/claude-code.ts'
import { logErrorGround } from '../span/log-error.ts'
import type { SpanView } from '../span/record.ts'
import { wasGivenUp } from './cancelled.ts'
import { grpcStatusOf, httpStatusOf } from './codes.ts'
import { LANGFUSE_LEVEL_KEY } from './keys.ts'
import { toolErrorOf } from './tool-result.ts'

const SERVER = 2
const CLIENT = 3

/** 4xx that fail a client's call even where the instrumentation set no status: refused, not "not found". */
const CLIENT_FAILURES: ReadonlySet<number> = new Set([401, 403, 407, 408, 429])

/** gRPC codes that are the server's own failure (OpenTelemetry's gRPC conventions); the others are the caller's. */
const GRPC_SERVER_FAILURES: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
])

/** gRPC codes that are an answer, not a failure, as long as the client itself does not call them an error. */
const GRPC_CLIENT_ANSWERS: ReadonlySet<string> = new Set([
  'CANCELLED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'ABORTED',
])

/**
 * What makes this span a failure, in words for /why; null for a healthy one. Runs on every span, so it reads little.
 * A status that says OK is the developer's last word (OpenTelemetry: Ok is final), except that a tool may say `isError` in its result.
 * What was only given up by who waited for it is none. Without a status the protocol's own code decides, and only where there is none either, an error attribute or exception event.
 */
export function failureGround(span: OtlpSpan, view: SpanView): string | null {
  if (span.log) return logErrorGround(span.log)
  if (span.status.code === 2) return wasGivenUp(span) ? null : 'status is ERROR'
  if (view.kind === 'tool') {
    const toolError = toolErrorOf(span)
    if (toolError) return toolError.because
  }
  if (span.status.code === 1) return null
  return (span.attributes.size > 0 ? byAttributes(span, view) : null) ?? byEvents(span)
}

function byAttributes(span: OtlpSpan, view: SpanView): string | null {
  const { attributes } = span
  const error = attributes.get('error')
  if (error === true || error === 'true') return 'attribute error is true'
  const http = httpStatusOf(attributes)
  if (http !== null && httpFails(http, span.kind, view)) return `HTTP status ${http}`
  const grpc = http === null ? grpcStatusOf(attributes) : null
  if (grpc !== null && grpcFails(grpc, span.kind)) return `gRPC status ${grpc}`
  const type = attributes.get('error.type')
  if (typeof type === 'string' && type !== '' && !wasGivenUp(span)) return `error.type is ${type.slice(0, 100)}`
  if (attributes.get('otel.status_code') === 'ERROR') return 'otel.status_code is ERROR'
  if (attributes.get(LANGFUSE_LEVEL_KEY) === 'ERROR') return `${LANGFUSE_LEVEL_KEY} is ERROR`
  return isClaudeCode(span.name) && saysUnsuccessful(attributes.get('success')) ? 'success is false' : null
}

function saysUnsuccessful(success: OtlpValue | undefined): boolean {
  return success === false || success === 'false'
}

function httpFails(status: number, kind: number, view: SpanView): boolean {
  if (status >= 500) return true
  const calls = kind === CLIENT || view.kind === 'chat' || view.kind === 'embeddings'
  return calls && kind !== SERVER && CLIENT_FAILURES.has(status)
}

function grpcFails(code: string, kind: number): boolean {
  if (code === 'OK') return false
  return kind === CLIENT ? !GRPC_CLIENT_ANSWERS.has(code) : GRPC_SERVER_FAILURES.has(code)
}

function byEvents(span: OtlpSpan): string | null {
  for (const event of span.events) {
    if (event.name !== 'exception') continue
    const escaped = event.attributes.get('exception.escaped')
    // Recorded, and said to have been caught: Python's record_exception writes "False" where the code went on.
    const handled = escaped === false || escaped === 'False' || escaped === 'false'
    if (!handled && !answered(span) && !wasGivenUp(span)) return 'an exception event, and no status'
  }
  return null
}

/** The protocol's code says how it ended, and it ended well: an exception on the way was handled. */
function answered(span: OtlpSpan): boolean {
  return httpStatusOf(span.attributes) !== null || grpcStatusOf(span.attributes) !== null
}
