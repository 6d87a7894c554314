import type { OtlpSpan } from '../otlp/model.ts'
import { grpcStatusOf, httpStatusOf } from './codes.ts'

const SERVER = 2
const CLIENT = 3

/** Errors by which runtimes stop work that nobody waits for any more: JavaScript, Python, Kotlin and Java, .NET, Go. */
const TYPE =
  /(?:^|\.)(?:AbortError|Cancell?edError|(?:Job)?Cancell?ationException|OperationCancell?edException|TaskCancell?edException|Cancell?edException|Canceled)$/
const WORDS =
  /^(?:context cancell?ed|(?:the |this )?(?:user|client|operation|request|call|rpc|task) (?:was |has been )?(?:cancell?ed|aborted)(?: (?:a|the) request)?)[.!]?$/i

/** Some runtimes cancel what took too long: that is a timeout. */
const OUT_OF_TIME = /time-?d?[ -]?out|deadline/i

/**
 * Whether who waited for a span gave it up and nothing else went wrong in it: a visitor who left, a caller that needs no answer. Its
 * instrumentation calls that an error; whoever gave up because something failed says so itself.
 */
export function wasGivenUp(span: OtlpSpan): boolean {
  const { attributes, events, status, kind } = span
  const http = httpStatusOf(attributes)
  if (http !== null && http >= 400) return http === 499
  // A program that gives its own call up mostly waited too long: whether it mattered, who called it tells.
  if (kind === CLIENT && span.parentSpanId !== null) return false
  const exceptions = events.filter(({ name }) => name === 'exception')
  const said = [status.message, ...exceptions.map(({ attributes: of }) => of.get('exception.message'))].filter(
    (text) => typeof text === 'string',
  )
  if (said.some((text) => OUT_OF_TIME.test(text))) return false
  const types = [attributes.get('error.type'), ...exceptions.map(({ attributes: of }) => of.get('exception.type'))]
  const named = types.filter((type) => typeof type === 'string' && type !== '' && type !== '_OTHER') as string[]
  if (kind === SERVER && grpcStatusOf(attributes) === 'CANCELLED') return true
  if (named.length > 0) return named.every((type) => TYPE.test(type))
  return said.some((text) => WORDS.test(text.trim()))
}

/** Work that says that somebody else gave it up, in whatever words: the consequence of another failure where there is one. */
export function isCancelled({
  code,
  errorType,
  message,
}: {
  code: string | null
  errorType: string | null
  message: string | null
}): boolean {
  const words = (message ?? '').slice(0, 200)
  // Who was out of time by itself says so: "canceling statement due to statement timeout".
  if (OUT_OF_TIME.test(words)) return false
  if (code === 'CANCELLED' || code === '499') return true
  return TYPE.test(errorType ?? '') || /\bcancell?(?:ed|ing)\b|client disconnected/i.test(words)
}
