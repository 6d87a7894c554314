import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { detect } from '@loopkit/shared/signals/detect'
import { decodeLogsAsSpans } from '@loopkit/shared/span/log-as-span'
import { nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { eventNanoOf, latin1, SESSIONS_PER_TRACE_MAX, type SpanIndex, type SpanIndexer } from './index-spans.ts'
import type { ShapeRules } from './shape-memo.ts'

/** As `createSpanIndexer`, for kept log records: they are no runs, and each is a reason to judge its trace. */
export function createLogIndexer({ filter, signalsOff }: ShapeRules): SpanIndexer {
  const index: SpanIndex = { runs: [], latencies: [], traces: new Map(), eventMinMs: Number.MAX_SAFE_INTEGER, eventMaxMs: 0 }

  function add(ctx: SpanInContext): void {
    const { span } = ctx
    const view = viewSpan(ctx)
    const eventMs = nanoToMs(eventNanoOf(span))
    if (eventMs !== 0) {
      index.eventMinMs = Math.min(index.eventMinMs, eventMs)
      index.eventMaxMs = Math.max(index.eventMaxMs, eventMs)
    }
    const isFailing = detect(span, view, signalsOff) !== null
    if (!isFailing && view.session === null) return
    const key = latin1(span.traceId)
    const reasons = index.traces.get(key) ?? { traceId: span.traceId, failing: 0, unended: 0, agentSteps: 0, sessions: new Set() }
    index.traces.set(key, reasons)
    if (isFailing) reasons.failing++
    if (view.session !== null && reasons.sessions.size < SESSIONS_PER_TRACE_MAX) reasons.sessions.add(toIndexText(view.session))
  }

  return {
    add(body) {
      for (const ctx of decodeLogsAsSpans(body, filter)) add(ctx)
    },
    finish: () => (index.eventMinMs > index.eventMaxMs ? { ...index, eventMinMs: 0, eventMaxMs: 0 } : index),
  }
}
