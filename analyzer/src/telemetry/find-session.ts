import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { parseTraceId, toHex } from '@loopkit/shared/otlp/ids'
import type { TraceSpan } from '@loopkit/shared/signals/model'
import { isLoneTrace } from '@loopkit/shared/span/lone-trace-id'
import { decodeRecordId, encodeRecordId } from '@loopkit/shared/span/record-id'
import { createDecidedSignals } from './decided-signals.ts'
import { eachTrace, readAskedTrace } from './each-trace.ts'
import { JUDGE_FILTER, sessionText, toTraceSpan } from './judge-span.ts'
import { type RecordOwner, sessionsIn } from './record-sessions.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Traces of one session and spans of them that one question reads; what is beyond is said to be left out. */
const SESSION_TRACES_MAX = 1000
const SESSION_SPANS_MAX = 100_000

/** One record of a session before it is decoded whole. */
export interface SessionSpan extends TraceSpan {
  recordId: string
  traceId: Uint8Array
  spanId: Uint8Array
}

export interface FoundSession {
  /** As it was sent. */
  sessionId: string
  /** In order of time: start, then record id. */
  spans: SessionSpan[]
  traces: number
  tracesLeftOut: number
}

/** The session of this id, else the trace of this id, by the text that was sent; null where neither is known. */
export function findSession(connection: TelemetryConnection, owner: RecordOwner, id: string): FoundSession | null {
  return findNamed(connection, owner, id) ?? findTrace(connection, owner, id)
}

function findNamed(connection: TelemetryConnection, owner: RecordOwner, id: string): FoundSession | null {
  const { db } = connection
  const traceIds = db
    .prepare(
      `select t.trace_id from session_trace t join session s using (session_no)
       where t.project_no = ? and s.project_no = ? and s.session_id = ? and s.explicit = 1
       order by t.received_ms, t.trace_hash limit ?`,
    )
    .pluck()
    .all(owner.projectNo, owner.projectNo, toIndexText(id), SESSION_TRACES_MAX + 1) as Uint8Array[]
  if (traceIds.length === 0) return null
  const toSessionSpan = createToSessionSpan(connection, owner)
  const spans: SessionSpan[] = []
  let read = 0
  for (const { stored } of eachTrace(connection, owner.projectNo, traceIds.slice(0, SESSION_TRACES_MAX), JUDGE_FILTER)) {
    if (spans.length >= SESSION_SPANS_MAX) break
    read += 1
    const sessions = sessionsIn(owner, stored)
    const own = stored.filter(({ ctx }) => toIndexText(sessions.get(toHex(ctx.span.spanId)) ?? '') === toIndexText(id))
    spans.push(...own.map(toSessionSpan))
  }
  if (spans.length === 0) return null
  return { sessionId: id, spans: inTime(spans), traces: traceIds.length, tracesLeftOut: traceIds.length - read }
}

function findTrace(connection: TelemetryConnection, owner: RecordOwner, id: string): FoundSession | null {
  const traceId = loneTraceOf(id) ?? parseTraceId(id)?.bytes
  const stored = traceId ? readAskedTrace(connection, owner.projectNo, traceId, JUDGE_FILTER) : []
  if (!stored[0]) return null
  const spans = stored.map(createToSessionSpan(connection, owner))
  const { span } = stored[0].ctx
  return { sessionId: sessionText(toHex(span.traceId), span), spans: inTime(spans), traces: 1, tracesLeftOut: 0 }
}

/** A log record without a trace is a session by itself, under the id of the record. */
function loneTraceOf(id: string): Uint8Array | null {
  const ids = decodeRecordId(id)
  return ids && isLoneTrace(ids.traceId, ids.spanId) ? ids.traceId : null
}

/** A record shows what it shows by itself, else what the decision of its trace says of it. */
function createToSessionSpan(
  connection: TelemetryConnection,
  { projectNo, off }: RecordOwner,
): (stored: StoredSpan) => SessionSpan {
  const signalsOff = new Set(off)
  const decided = createDecidedSignals(connection, projectNo)
  return ({ ctx }) => {
    const { traceId, spanId } = ctx.span
    const seen = toTraceSpan(ctx, signalsOff)
    return { ...seen, detection: seen.detection ?? decided(ctx.span), recordId: encodeRecordId(traceId, spanId), traceId, spanId }
  }
}

function inTime(spans: SessionSpan[]): SessionSpan[] {
  return spans.sort((a, b) => {
    if (a.span.startUnixNano !== b.span.startUnixNano) return a.span.startUnixNano < b.span.startUnixNano ? -1 : 1
    return a.recordId < b.recordId ? -1 : 1
  })
}

/** Ancestors kept above one failing record. */
const ANCESTORS_MAX = 1000

/** The failing records and everything above them, in the same order. */
export function failingWithAncestors(spans: readonly SessionSpan[]): SessionSpan[] {
  const byId = new Map(spans.map((span) => [nameOf(span.traceId, span.spanId), span]))
  const kept = new Set<SessionSpan>()
  for (const failing of spans.filter(({ detection }) => detection !== null)) {
    let at: SessionSpan | undefined = failing
    for (let steps = 0; at && !kept.has(at) && steps < ANCESTORS_MAX; steps++) {
      kept.add(at)
      const parent: Uint8Array | null = at.span.parentSpanId
      at = parent === null ? undefined : byId.get(nameOf(at.traceId, parent))
    }
  }
  return spans.filter((span) => kept.has(span))
}

function nameOf(traceId: Uint8Array, spanId: Uint8Array): string {
  return `${toHex(traceId)}${toHex(spanId)}`
}
