import type { AttributeFilter } from '../otlp/attribute-filter.ts'
import { decodeLogs } from '../otlp/decode-logs.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from '../otlp/ids.ts'
import { EXCEPTION_EVENT, LOG_RECORD_ID_KEY } from '../otlp/log-keys.ts'
import type { LogInContext, OtlpLog, SpanInContext } from '../otlp/model.ts'
import { logErrorGround } from './log-error.ts'
import { logText } from './log-text.ts'

const ERROR = 2

/** The kept records of an ExportLogsServiceRequest, each in the place of a span; the i-th is row i of `scanLogs`. */
export function* decodeLogsAsSpans(body: Uint8Array, filter?: AttributeFilter): Generator<SpanInContext> {
  for (const ctx of decodeLogs(body, filter)) yield logAsSpan(ctx)
}

/**
 * A kept log record as what judges and reads traces sees it: a moment below the span that it names, failing where it tells
 * of an error. Its ids are those that the door has written into it; the attribute that carried them is taken out.
 */
export function logAsSpan({ resource, scope, log }: LogInContext): SpanInContext {
  const { traceId, spanId } = takeIds(log)
  const at = timeOf(log)
  return {
    resource,
    scope,
    span: {
      traceId,
      spanId,
      parentSpanId: traceId === log.traceId ? namedSpan(log) : null,
      traceState: '',
      flags: log.flags,
      name: nameOf(log, scope.name),
      kind: 0,
      startUnixNano: at,
      endUnixNano: at,
      attributes: log.attributes,
      droppedAttributesCount: log.droppedAttributesCount,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: logErrorGround(log) === null ? 0 : ERROR, message: logText(log.body) },
      log,
    },
  }
}

/** When it happened, else when it was observed, else 0. */
function timeOf({ timeUnixNano, observedTimeUnixNano }: OtlpLog): bigint {
  return timeUnixNano === 0n ? observedTimeUnixNano : timeUnixNano
}

/** Of a record that names neither event nor logger. */
export const UNNAMED_LOG = 'log'

/** The event's name, else that of the logger. */
function nameOf({ eventName }: OtlpLog, logger: string): string {
  return (eventName === EXCEPTION_EVENT ? '' : eventName) || logger || eventName || UNNAMED_LOG
}

const NO_ID = new Uint8Array(SPAN_ID_BYTES)

function takeIds(log: OtlpLog): { traceId: Uint8Array; spanId: Uint8Array } {
  const written = log.attributes.get(LOG_RECORD_ID_KEY)
  if (!(written instanceof Uint8Array)) return { traceId: log.traceId, spanId: NO_ID }
  log.attributes.delete(LOG_RECORD_ID_KEY)
  const isLone = written.length === TRACE_ID_BYTES
  return { traceId: isLone ? written : log.traceId, spanId: written.slice(-SPAN_ID_BYTES) }
}

/** The span that the record names; null for none. */
export function namedSpan({ spanId }: OtlpLog): Uint8Array | null {
  return spanId.length === SPAN_ID_BYTES && spanId.some((byte) => byte !== 0) ? spanId : null
}
