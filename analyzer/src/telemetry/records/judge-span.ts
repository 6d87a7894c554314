import { type AttributeFilter, createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { isOriginalOf, ORIGINAL_PARENT_SPAN_ID, ORIGINAL_SPAN_ID, ORIGINAL_TRACE_ID, toHex } from '@loopkit/shared/otlp/ids'
import type { OtlpSpan, SpanInContext } from '@loopkit/shared/otlp/model'
import { DETECTION_KEYS, detect } from '@loopkit/shared/signals/detect'
import { createJudgeFilter } from '@loopkit/shared/signals/judge-filter'
import type { TraceSpan } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { isLoneTrace, NO_TRACE_ID } from '@loopkit/shared/span/lone-trace-id'
import { clampNano, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { shownLogIds } from '@loopkit/shared/span/normalize-span'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'

const ORIGINAL_IDS = [ORIGINAL_TRACE_ID, ORIGINAL_SPAN_ID, ORIGINAL_PARENT_SPAN_ID]

/** What the view and the hard signals of a span need of its attributes; the rest stays undecoded. */
export const JUDGE_FILTER = createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS, ...ORIGINAL_IDS], WANTED_PREFIXES)

/** What judging a whole trace needs: also what models and tools said, which is long. */
export const WHOLE_TRACE_FILTER = createJudgeFilter(ORIGINAL_IDS)

/** The same where a project's own rules read more attributes. */
export function wholeTraceFilter(attributes: readonly string[]): AttributeFilter {
  return attributes.length === 0 ? WHOLE_TRACE_FILTER : createJudgeFilter([...ORIGINAL_IDS, ...attributes])
}

/** What the view of a record needs, and some attributes more. */
export function recordFilter(attributes: readonly string[]): AttributeFilter {
  return createAttributeFilter([...WANTED_KEYS, ...ORIGINAL_IDS, ...attributes], WANTED_PREFIXES)
}

/** A span as blame sees it, by the same rules as at the door. */
export function toTraceSpan(ctx: SpanInContext, off: ReadonlySet<SignalType>): TraceSpan {
  const view = viewSpan(ctx)
  return { span: ctx.span, view, detection: detect(ctx.span, view, off) }
}

/** The trace id as it was sent: the text where it was text, else lower-case hex; zeros for a log record without one. */
export function traceIdText(span: OtlpSpan): string {
  if (isLoneTrace(span.traceId, span.spanId)) return NO_TRACE_ID
  return idText(span, ORIGINAL_TRACE_ID, span.traceId)
}

/** All ids of a span as they were sent; of a log record those that it names. */
export function shownIds(span: OtlpSpan): { traceId: string; spanId: string; parentSpanId: string | null } {
  if (span.log) return { ...shownLogIds(span, span.log), parentSpanId: null }
  return {
    traceId: traceIdText(span),
    spanId: idText(span, ORIGINAL_SPAN_ID, span.spanId),
    parentSpanId: span.parentSpanId === null ? null : idText(span, ORIGINAL_PARENT_SPAN_ID, span.parentSpanId),
  }
}

function idText(span: OtlpSpan, key: string, bytes: Uint8Array): string {
  const text = span.attributes.get(key)
  return typeof text === 'string' && isOriginalOf(text, bytes) ? text : toHex(bytes)
}

/** The session as it is shown: a trace that stands for itself goes by the trace id that was sent, a log record without one by its own. */
export function sessionText(sessionId: string, span: OtlpSpan): string {
  if (sessionId !== toHex(span.traceId)) return sessionId
  return isLoneTrace(span.traceId, span.spanId) ? encodeRecordId(span.traceId, span.spanId) : traceIdText(span)
}

/** The time a span is judged by, as the collector counts it: its end, or its start while it has none; 0 where it has neither. */
export function eventMsOf({ startUnixNano, endUnixNano }: Pick<OtlpSpan, 'startUnixNano' | 'endUnixNano'>): number {
  return nanoToMs(clampNano(endUnixNano === 0n ? startUnixNano : endUnixNano))
}

/** A span id as rows hold it: eight bytes, big-endian, two's complement. */
export function spanNumber(spanId: Uint8Array): bigint {
  return new DataView(spanId.buffer, spanId.byteOffset, spanId.byteLength).getBigInt64(0)
}
