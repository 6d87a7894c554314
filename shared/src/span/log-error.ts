import { EVENT_NAME_KEY, EXCEPTION_EVENT, EXCEPTION_KEYS } from '../otlp/log-keys.ts'
import { isErrorSeverity } from '../otlp/log-severity.ts'
import type { OtlpLog } from '../otlp/model.ts'

/** How a log record says that it carries an exception, in words for /why; null where it carries none. */
export function exceptionGround({ attributes, eventName }: OtlpLog): string | null {
  for (const key of EXCEPTION_KEYS) {
    const text = attributes.get(key)
    if (typeof text === 'string' && text !== '') return `a log record carries ${key}`
  }
  const isEvent = eventName === EXCEPTION_EVENT || attributes.get(EVENT_NAME_KEY) === EXCEPTION_EVENT
  return isEvent ? 'a log record is an exception event' : null
}

/** What makes a log record tell of an error: the same rule as `scanLogs` has for keeping it. */
export function logErrorGround(log: OtlpLog): string | null {
  const { severityNumber, severityText } = log
  const bySeverity = isErrorSeverity(severityNumber, severityText)
    ? `the severity of a log record is ${severityText.trim() || severityNumber}`
    : null
  return exceptionGround(log) ?? bySeverity
}
