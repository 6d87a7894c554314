import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { toHex } from '@loopkit/shared/otlp/ids'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { eachTrace } from './each-trace.ts'
import { JUDGE_FILTER, sessionText, toTraceSpan } from './judge-span.ts'

/** Whose records these are. */
export interface RecordOwner {
  projectNo: number
  projectId: string
  off: readonly SignalType[]
}

/** Tells the session of a span: its own, else its nearest ancestor's, else the trace's only one, else the trace id. */
export type SessionOf = (stored: StoredSpan) => string

/** Settles the sessions of these spans. Whole traces are read only where one names several sessions. */
export function createSessionOf(connection: TelemetryConnection, owner: RecordOwner, spans: readonly StoredSpan[]): SessionOf {
  const named = namedSessions(connection, owner.projectNo, spans)
  const several = [...named].filter(([, sessions]) => sessions.length > 1).map(([traceId]) => Buffer.from(traceId, 'hex'))
  const judged = new Map<string, Map<string, string>>()
  for (const { traceId, stored } of eachTrace(connection, owner.projectNo, several, JUDGE_FILTER)) {
    judged.set(traceId, sessionsIn(owner, stored))
  }
  return ({ ctx: { span } }) => {
    const traceId = toHex(span.traceId)
    const settled = judged.get(traceId)?.get(toHex(span.spanId)) ?? named.get(traceId)?.[0]
    return sessionText(settled ?? traceId, span)
  }
}

/** Hex span id → session, of one whole trace. */
export function sessionsIn({ projectId, off }: RecordOwner, stored: readonly StoredSpan[]): Map<string, string> {
  const signalsOff = new Set(off)
  return judgeTrace(
    projectId,
    stored.map(({ ctx }) => toTraceSpan(ctx, signalsOff)),
  ).sessionOf
}

/** Sessions that a span of the trace named, by hex trace id. */
function namedSessions(
  { db, hasher }: TelemetryConnection,
  projectNo: number,
  spans: readonly StoredSpan[],
): Map<string, string[]> {
  const find = db
    .prepare(
      `select session_id from session_trace t join session s using (session_no)
       where t.project_no = ? and t.trace_hash = ? and s.explicit = 1 limit 2`,
    )
    .pluck()
  const traceIds = new Map(spans.map(({ ctx }) => [toHex(ctx.span.traceId), ctx.span.traceId]))
  const named = [...traceIds].map(([text, traceId]) => {
    const hash = BigInt.asIntN(64, hasher(projectNo, traceId))
    return [text, find.all(projectNo, hash) as string[]] as const
  })
  return new Map(named)
}
