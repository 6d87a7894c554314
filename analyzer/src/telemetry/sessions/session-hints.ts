import { toHex } from '@loopkit/shared/otlp/ids'
import type { HintKind } from '@loopkit/shared/signals/hints/hint-kind'
import { eachTrace } from '../records/each-trace.ts'
import { WHOLE_TRACE_FILTER } from '../records/judge-span.ts'
import { judgeWhole } from '../records/judge-whole.ts'
import type { RecordOwner } from '../records/record-sessions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { SessionSpan } from './find-session.ts'

/** What a reader of the session should look at, and no pain. */
export interface SessionHint {
  record_id: string
  kind: HintKind
  because: string
}

/** Traces of one session that are looked through, and hints that are shown. */
const TRACES_MAX = 50
const HINTS_MAX = 200

/** Hints on these spans in order of time; those beyond the most are counted. */
export function findSessionHints(
  connection: TelemetryConnection,
  { projectNo, projectId, off }: RecordOwner,
  spans: readonly SessionSpan[],
): { hints: SessionHint[]; leftOut: number } {
  const inTime = new Map(
    spans.map(({ traceId, spanId, recordId }, at) => [`${toHex(traceId)} ${toHex(spanId)}`, { recordId, at }]),
  )
  const traceIds = [...new Map(spans.map(({ traceId }) => [toHex(traceId), traceId])).values()].slice(0, TRACES_MAX)
  const judgement = { projectId, off: new Set(off), isOver: true, withHints: true }
  const found: { at: number; hint: SessionHint }[] = []
  for (const { traceId, stored } of eachTrace(connection, projectNo, traceIds, WHOLE_TRACE_FILTER)) {
    for (const { spanId, kind, because } of judgeWhole(connection, judgement, stored).hints) {
      const shown = inTime.get(`${traceId} ${spanId}`)
      if (shown) found.push({ at: shown.at, hint: { record_id: shown.recordId, kind, because } })
    }
  }
  const hints = found.sort((a, b) => a.at - b.at).map(({ hint }) => hint)
  return { hints: hints.slice(0, HINTS_MAX), leftOut: Math.max(0, hints.length - HINTS_MAX) }
}
