import type { OtlpAttributes, OtlpSpan } from '../../otlp/model.ts'

/** An exception as recorded in a span event (later also in the fields of a log record). */
export interface RecordedException {
  type: string | null
  message: string | null
  stacktrace: string | null
  /** The sender says that it left the span's scope; deprecated, and often absent. */
  escaped: boolean
}

/**
 * The exceptions of a span in the order recorded: events named `exception`, or any event that carries
 * `exception.type`. Texts are as sent, not bounded.
 */
export function exceptionsOf(span: OtlpSpan): RecordedException[] {
  const found: RecordedException[] = []
  for (const event of span.events) {
    if (event.name !== 'exception' && !event.attributes.has('exception.type')) continue
    const exception = readException(event.attributes)
    if (exception !== null) found.push(exception)
  }
  return found
}

/** The exception in one set of attributes, or null where it names none. */
export function readException(attributes: OtlpAttributes): RecordedException | null {
  const type = plainText(attributes, 'exception.type')
  const message = plainText(attributes, 'exception.message')
  const stacktrace = plainText(attributes, 'exception.stacktrace')
  if (type === null && message === null && stacktrace === null) return null
  const escaped = attributes.get('exception.escaped')
  return { type, message, stacktrace, escaped: escaped === true || escaped === 'true' || escaped === 'True' }
}

function plainText(attributes: OtlpAttributes, key: string): string | null {
  const value = attributes.get(key)
  return typeof value === 'string' && value !== '' ? value : null
}
