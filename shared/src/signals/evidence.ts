import type { OtlpEvent, OtlpSpan, OtlpValue } from '../otlp/model.ts'
import { isClaudeCode } from '../span/conventions/claude-code.ts'
import { exceptionGround } from '../span/log-error.ts'
import type { SpanView } from '../span/record.ts'
import { grpcStatusOf, httpStatusOf, sqlstateOf } from './codes.ts'
import { ERROR_MESSAGE_KEYS } from './keys.ts'
import { toolErrorOf } from './tool-result.ts'

/** Longer texts are cut: what names an error stands at its beginning, and every later step is bounded by it. */
export const MESSAGE_MAX_CHARS = 8_192
export const STACK_MAX_CHARS = 32_768

/** Words decide a signal only within the first part of the text: further down stand payloads and prompts. */
const WORDS_MAX_CHARS = 1_000

/** Types that say nothing more than "it failed". */
const GENERIC_TYPES: ReadonlySet<string> = new Set([
  '',
  '_OTHER',
  'Error',
  'Exception',
  'java.lang.Exception',
  'System.Exception',
  'tool_error',
])

/** `ValueError: …` at the head of a text, where no attribute names the type. */
const TYPE_IN_TEXT = /^([A-Za-z_][\w.$]{0,120}(?:Error|Exception|Timeout|Failure|Fault)): /

/** All that a failing span says about its failure, read once for all the rules. */
export interface Evidence {
  span: OtlpSpan
  view: SpanView
  http: number | null
  grpc: string | null
  sqlstate: string | null
  errorType: string | null
  message: string | null
  stack: string | null
  hasException: boolean
  /** Type and beginning of the message: the only text in which rules look for words. */
  words: string
  /** It calls something outside itself: client and producer spans, and protocol spans that name no kind. */
  calls: boolean
}

/** Reads the evidence of a span that is known to fail. */
export function gatherEvidence(span: OtlpSpan, view: SpanView): Evidence {
  const { attributes } = span
  const event = exceptionOf(span)
  const toolError = view.kind === 'tool' && event === null ? toolErrorOf(span) : null
  const message = firstText([
    event?.attributes.get('exception.message'),
    ...ERROR_MESSAGE_KEYS.map((key) => attributes.get(key)),
    wordsOfFlag(attributes.get('error')),
    span.status.message,
    toolError?.text,
  ])
  const codes = {
    http: httpStatusOf(attributes) ?? statusAsType(attributes.get('error.type')) ?? statusOfClaudeCode(span),
    grpc: grpcStatusOf(attributes),
    sqlstate: sqlstateOf(attributes),
  }
  const ownType = typeOf(span, event, message)
  const errorType =
    ownType ?? codes.sqlstate ?? codes.grpc ?? (codes.http !== null && codes.http >= 400 ? String(codes.http) : null)
  const stack = textOf(event?.attributes.get('exception.stacktrace') ?? attributes.get('exception.stacktrace'))
  return {
    span,
    view,
    ...codes,
    errorType: errorType?.slice(0, 200) ?? null,
    message: message?.slice(0, MESSAGE_MAX_CHARS) ?? null,
    stack: stack?.slice(0, STACK_MAX_CHARS) ?? null,
    hasException: span.log ? exceptionGround(span.log) !== null : event !== null || attributes.has('exception.type'),
    words: `${ownType ?? ''} ${message?.slice(0, WORDS_MAX_CHARS) ?? ''}`,
    calls:
      span.kind === 3 || span.kind === 4 || (span.kind === 0 && ['http', 'rpc', 'database', 'messaging'].includes(view.kind)),
  }
}

/** OpenTelemetry's HTTP conventions put the status into `error.type`; model calls often carry it there alone. */
function statusAsType(type: OtlpValue | undefined): number | null {
  return typeof type === 'string' && /^[45]\d\d$/.test(type) ? Number(type) : null
}

/** `error` is a flag with most senders; with some it is what went wrong. */
function wordsOfFlag(value: OtlpValue | undefined): OtlpValue | undefined {
  return typeof value === 'string' && /^(?:true|false|[01])$/i.test(value.trim()) ? undefined : value
}

function statusOfClaudeCode({ name, attributes }: OtlpSpan): number | null {
  return isClaudeCode(name) ? statusAsType(String(attributes.get('status_code') ?? '')) : null
}

/** The exception that ended the span: the one its status repeats, else the last one recorded. */
function exceptionOf(span: OtlpSpan): OtlpEvent | null {
  let last: OtlpEvent | null = null
  for (const event of span.events) {
    if (event.name !== 'exception') continue
    last = event
    const message = textOf(event.attributes.get('exception.message'))
    if (message !== null && span.status.message.includes(message)) return event
  }
  return last
}

function typeOf(span: OtlpSpan, event: OtlpEvent | null, message: string | null): string | null {
  const named = [
    event?.attributes.get('exception.type'),
    span.attributes.get('error.type'),
    span.attributes.get('exception.type'),
  ]
  const inText = TYPE_IN_TEXT.exec(message ?? '')?.[1] ?? TYPE_IN_TEXT.exec(span.status.message)?.[1]
  const types = [...named, inText].flatMap((type) => textOf(type) ?? [])
  return types.find((type) => !GENERIC_TYPES.has(type)) ?? types.find((type) => type !== '_OTHER') ?? null
}

function firstText(values: unknown[]): string | null {
  for (const value of values) {
    const text = textOf(value)
    if (text !== null) return text
  }
  return null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null
}
