import { isOriginalOf, ORIGINAL_PARENT_SPAN_ID, ORIGINAL_SPAN_ID, ORIGINAL_TRACE_ID, SPAN_ID_BYTES, toHex } from '../otlp/ids.ts'
import type { OtlpAttributes, OtlpEvent, OtlpLink, OtlpLog, OtlpSpan, SpanInContext } from '../otlp/model.ts'
import type { SignalType } from '../signals/signal-type.ts'
import { isClockSuspect } from './clock-suspect.ts'
import { type ShownBudget, shownText, toShownValue } from './json-value.ts'
import { NO_TRACE_ID } from './lone-trace-id.ts'
import { msToIso } from './nanoseconds.ts'
import type { JsonValue, RecordEvent, RecordLink, RecordLog, SpanRecord } from './record.ts'
import { encodeRecordId } from './record-id.ts'
import { viewSpan } from './view-span.ts'

/** A record shows this many events and as many links; a span may carry hundreds of thousands. */
const EVENTS_SHOWN_MAX = 1_000
const KEY_SHOWN_MAX_BYTES = 1_024

export interface ShownLimits {
  attributesShownMax: number
  attributeShownMaxBytes: number
}

export interface NormalizeHow {
  receivedAtMs: number
  /** Settled per trace, see the judgement of traces. */
  sessionId: string
  signalType: SignalType | null
  limits: ShownLimits
}

/** Counts what is left out of one record while it is made. */
interface Showing {
  limits: ShownLimits
  cut: SpanRecord['shown_cut']
}

/**
 * The record of a span: what was sent as JSON says it, bounded in what is shown and never in what is stored, with the one
 * view of all dialects beside it. Ids that were sent as text are shown as that text; a log record shows the ids that it
 * names. Never throws.
 */
export function normalizeSpan(ctx: SpanInContext, how: NormalizeHow): SpanRecord {
  const { span, resource, scope } = ctx
  const showing: Showing = { limits: how.limits, cut: { attributes: 0, values: 0, events: 0, links: 0 } }
  const ids = shownIds(span)
  const { kind: _kind, provider: _provider, session: _session, finish_reasons: _reasons, ...view } = viewSpan(ctx)
  return {
    record_id: encodeRecordId(span.traceId, span.spanId),
    kind: span.log ? 'log' : 'span',
    trace_id: ids.traceId,
    span_id: ids.spanId,
    parent_span_id: ids.parentSpanId,
    session_id: how.sessionId,
    name: shownString(span.name, showing),
    span_kind: span.kind,
    signal_type: how.signalType,
    received_at: msToIso(how.receivedAtMs),
    start_unix_nano: String(span.startUnixNano),
    end_unix_nano: span.endUnixNano === 0n ? null : String(span.endUnixNano),
    status: { code: span.status.code, message: shownString(span.status.message, showing) },
    attributes: shownAttributes(span.attributes, showing, ids.hidden),
    events: shownEvents(span.events, showing),
    resource: { attributes: shownAttributes(resource.attributes, showing), schema_url: shownString(resource.schemaUrl, showing) },
    scope: {
      name: shownString(scope.name, showing),
      version: shownString(scope.version, showing),
      attributes: shownAttributes(scope.attributes, showing),
      schema_url: shownString(scope.schemaUrl, showing),
    },
    links: shownLinks(span.links, showing),
    trace_state: shownString(span.traceState, showing),
    flags: span.flags,
    dropped: { attributes: span.droppedAttributesCount, events: span.droppedEventsCount, links: span.droppedLinksCount },
    ...view,
    clock_suspect: isClockSuspect(span, how.receivedAtMs),
    ...(span.log && { log: shownLog(span.log, showing) }),
    shown_cut: showing.cut,
  }
}

function shownIds(span: OtlpSpan) {
  const { trace, span: own, parent, hidden } = originalIds(span.attributes, span.log ?? span)
  if (span.log) return { ...logIds(span.log, { trace, span: own }), parentSpanId: null, hidden }
  return {
    traceId: trace ?? toHex(span.traceId),
    spanId: own ?? toHex(span.spanId),
    parentSpanId: span.parentSpanId === null ? null : (parent ?? toHex(span.parentSpanId)),
    hidden,
  }
}

/** The ids that a log record names, as they were sent; zeros for none. */
export function shownLogIds({ attributes }: OtlpSpan, log: OtlpLog): { traceId: string; spanId: string } {
  return logIds(log, originalIds(attributes, log))
}

function logIds(log: OtlpLog, { trace, span }: Pick<OriginalIds, 'trace' | 'span'>) {
  const sent = (id: Uint8Array, none: string) => (id.length * 2 === none.length ? toHex(id) : none)
  return { traceId: trace ?? sent(log.traceId, NO_TRACE_ID), spanId: span ?? sent(log.spanId, NO_SPAN_ID) }
}

const NO_SPAN_ID = '0'.repeat(SPAN_ID_BYTES * 2)

function shownLog(log: OtlpLog, showing: Showing): RecordLog {
  return {
    severity_number: log.severityNumber,
    severity_text: shownString(log.severityText, showing),
    event_name: shownString(log.eventName, showing),
    observed_unix_nano: log.observedTimeUnixNano === 0n ? null : String(log.observedTimeUnixNano),
    body: withinBudget(showing, showing.limits.attributeShownMaxBytes, (budget) => toShownValue(log.body, budget)),
  }
}

interface OriginalIds {
  trace: string | null
  span: string | null
  parent: string | null
  /** The attributes that carried them: ours, so they are not shown. */
  hidden: Set<string> | null
}

interface SpanIds {
  traceId: Uint8Array
  spanId: Uint8Array
  parentSpanId?: Uint8Array | null
}

/** A sender may write these attributes itself: one is believed only where the id is the hash of its text. */
function originalIds(attributes: OtlpAttributes, ids: SpanIds): OriginalIds {
  const found: OriginalIds = { trace: null, span: null, parent: null, hidden: null }
  const original = (key: string, bytes: Uint8Array | null | undefined): string | null => {
    const text = attributes.get(key)
    if (typeof text !== 'string' || !bytes || !isOriginalOf(text, bytes)) return null
    found.hidden ??= new Set()
    found.hidden.add(key)
    return text
  }
  found.trace = original(ORIGINAL_TRACE_ID, ids.traceId)
  found.span = original(ORIGINAL_SPAN_ID, ids.spanId)
  found.parent = original(ORIGINAL_PARENT_SPAN_ID, ids.parentSpanId)
  return found
}

function shownAttributes(attributes: OtlpAttributes, showing: Showing, hidden: Set<string> | null = null) {
  const shown: Record<string, JsonValue> = Object.create(null)
  let count = 0
  for (const [key, value] of attributes) {
    if (hidden?.has(key)) continue
    if (count === showing.limits.attributesShownMax) {
      showing.cut.attributes += attributes.size - count - (hidden?.size ?? 0)
      break
    }
    count += 1
    const name = withinBudget(showing, KEY_SHOWN_MAX_BYTES, (budget) => shownText(key, budget))
    shown[name] = withinBudget(showing, showing.limits.attributeShownMaxBytes, (budget) => toShownValue(value, budget))
  }
  return shown
}

function shownString(text: string, showing: Showing): string {
  return withinBudget(showing, showing.limits.attributeShownMaxBytes, (budget) => shownText(text, budget))
}

function withinBudget<T>(showing: Showing, bytes: number, show: (budget: ShownBudget) => T): T {
  const budget = { bytes, isCut: false }
  const shown = show(budget)
  if (budget.isCut) showing.cut.values += 1
  return shown
}

function shownEvents(events: OtlpEvent[], showing: Showing): RecordEvent[] {
  showing.cut.events = Math.max(0, events.length - EVENTS_SHOWN_MAX)
  return events.slice(0, EVENTS_SHOWN_MAX).map((event) => ({
    name: shownString(event.name, showing),
    time_unix_nano: String(event.timeUnixNano),
    attributes: shownAttributes(event.attributes, showing),
  }))
}

function shownLinks(links: OtlpLink[], showing: Showing): RecordLink[] {
  showing.cut.links = Math.max(0, links.length - EVENTS_SHOWN_MAX)
  return links.slice(0, EVENTS_SHOWN_MAX).map((link) => {
    const ids = originalIds(link.attributes, link)
    return {
      trace_id: ids.trace ?? toHex(link.traceId),
      span_id: ids.span ?? toHex(link.spanId),
      trace_state: shownString(link.traceState, showing),
      attributes: shownAttributes(link.attributes, showing, ids.hidden),
    }
  })
}
