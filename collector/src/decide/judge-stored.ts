import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { readTraces, type StoredSpan, TooManySpansError } from '@loopkit/shared/database/telemetry/read-trace'
import type { TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import type { TraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import type { AttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { toHex } from '@loopkit/shared/otlp/ids'
import { detect } from '@loopkit/shared/signals/detect'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { JudgedTrace } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { viewSpan } from '@loopkit/shared/span/view-span'
import type { OpenTrace } from './open-rows.ts'

export interface Judging {
  trace: OpenTrace
  judged: JudgedTrace
}

export interface JudgeDeps {
  db: SqliteDatabase
  hasher: TraceHasher
  index: TraceIndex
  filter: AttributeFilter
  signalsOff: ReadonlySet<SignalType>
}

/** Spans held in memory at once. */
const TOTAL_SPANS_MAX = 60_000
/** Spans of one trace that are judged, the first to arrive. */
const TRACE_SPANS_MAX = 50_000

/** Judges traces of one project by all their stored spans; each segment is opened once for as many as fit in memory. */
export function judgeStored(deps: JudgeDeps, projectNo: number, projectId: string, traces: readonly OpenTrace[]): Judging[] {
  const { db, hasher, index, filter } = deps
  const options = { filter, index, spansMax: TRACE_SPANS_MAX, ...(traces.length > 1 && { totalSpansMax: TOTAL_SPANS_MAX }) }
  let spans: Map<string, StoredSpan[]>
  try {
    spans = readTraces(
      db,
      hasher,
      projectNo,
      traces.map(({ traceId }) => traceId),
      options,
    )
  } catch (error) {
    if (!(error instanceof TooManySpansError)) throw error
    const half = Math.ceil(traces.length / 2)
    return [traces.slice(0, half), traces.slice(half)].flatMap((part) => judgeStored(deps, projectNo, projectId, part))
  }
  return traces.map((trace) => ({
    trace,
    judged: judgeTrace(
      projectId,
      (spans.get(toHex(trace.traceId)) ?? []).map(({ ctx }) => {
        const view = viewSpan(ctx)
        return { span: ctx.span, view, detection: detect(ctx.span, view, deps.signalsOff) }
      }),
    ),
  }))
}
