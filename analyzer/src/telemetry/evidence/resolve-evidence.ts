import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { ORIGINAL_TRACE_ID, toHex } from '@loopkit/shared/otlp/ids'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import type { Detection } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { isLoneTrace, NO_TRACE_ID } from '@loopkit/shared/span/lone-trace-id'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { PainQuestion } from '../pains/pain-question.ts'
import { readInputs, routesAbove } from '../pains/pain-words.ts'
import { eachTrace } from '../records/each-trace.ts'
import { sessionText, toTraceSpan, traceIdText, WHOLE_TRACE_FILTER } from '../records/judge-span.ts'
import { judgeWhole } from '../records/judge-whole.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { EvidenceRow } from './evidence-order.ts'
import type { ResolvedEvidence } from './resolved-evidence.ts'

/** Whole traces that are read for one pain of this rank among those shown, of the first evidence: what a diagnosis may spend on it. */
const TRACES_OF_RANK: readonly { below: number; traces: number }[] = [
  { below: 1, traces: 3 },
  { below: 10, traces: 2 },
  { below: 20, traces: 1 },
]
/** For a question about a single pain. */
const TRACES_OF_ONE = 10
/** Evidence that is remembered between questions: each may hold a stack trace. */
const REMEMBERED_MAX = 500
const REMEMBERED_STACK_MAX_CHARS = 16_384

/**
 * The evidence of each pain, in its order. Every record that is named is stored; the first of the highest ranks are read back with
 * their whole traces, the others go by their rows. A trace that is in the same segments as before is not read again.
 */
export function resolveEvidence(
  connection: TelemetryConnection,
  question: PainQuestion,
  rows: readonly (readonly EvidenceRow[])[],
): ResolvedEvidence[][] {
  const segmentsOf = findSegments(connection, question, rows.flat())
  const stored = rows.map((ofPain) => ofPain.filter(({ traceId }) => segmentsOf(traceId) !== ''))
  const found = new Map<string, ResolvedEvidence>()
  const remember = createMemory(connection, question, segmentsOf)
  const chosen = stored.flatMap((ofPain, at) => ofPain.slice(0, tracesOf(question, at)))
  for (const row of chosen) {
    const known = remember.recall(row)
    if (known) found.set(row.recordId, known)
  }
  readWhole(
    connection,
    question,
    chosen.filter(({ recordId }) => !found.has(recordId)),
    found,
  )
  addInputs(connection, question, {
    first: stored.flatMap(([first], at) => (first && tracesOf(question, at) > 0 ? [first] : [])),
    found,
  })
  for (const row of chosen) remember.keep(row, found.get(row.recordId))
  // Ids that were sent as text are only known from the records themselves: who sends one mostly sends all of them so.
  const isText = [...found.values()].some(({ hasTextId }) => hasTextId)
  if (isText)
    readWhole(
      connection,
      question,
      stored.flat().filter(({ recordId }) => !found.has(recordId)),
      found,
    )
  const wasRead = new Set(isText ? stored.flat() : chosen)
  return stored.map((ofPain) => ofPain.flatMap((row) => found.get(row.recordId) ?? (wasRead.has(row) ? [] : [unread(row)])))
}

function tracesOf({ only, painsSkip }: PainQuestion, at: number): number {
  if (only !== null) return TRACES_OF_ONE
  return TRACES_OF_RANK.find(({ below }) => painsSkip + at < below)?.traces ?? 0
}

/** The segments that hold a trace, as text; empty where it is no longer stored. */
function findSegments(
  { hasher, index }: TelemetryConnection,
  { projectNo }: PainQuestion,
  rows: readonly EvidenceRow[],
): (traceId: Uint8Array) => string {
  const names = new Map<bigint, string>()
  const hashes = [...new Set(rows.map(({ traceId }) => hasher(projectNo, traceId)))]
  for (const { segmentId, hashes: held } of index.find(projectNo, hashes)) {
    for (const hash of held) names.set(hash, `${names.get(hash) ?? ''} ${segmentId}`)
  }
  return (traceId) => names.get(hasher(projectNo, traceId)) ?? ''
}

function createMemory(
  { evidence }: TelemetryConnection,
  { projectNo }: PainQuestion,
  segmentsOf: (traceId: Uint8Array) => string,
) {
  const keyOf = ({ recordId, sessionId, traceId }: EvidenceRow) => `${projectNo} ${recordId} ${segmentsOf(traceId)} ${sessionId}`
  return {
    recall: (row: EvidenceRow) => evidence.get(keyOf(row)),
    keep: (row: EvidenceRow, resolved: ResolvedEvidence | undefined) => {
      if (resolved === undefined || (resolved.detection?.stack?.length ?? 0) > REMEMBERED_STACK_MAX_CHARS) return
      if (evidence.size >= REMEMBERED_MAX) evidence.clear()
      evidence.set(keyOf(row), resolved)
    },
  }
}

/** Of those that were read now: a remembered one has its input. */
function addInputs(
  connection: TelemetryConnection,
  { projectNo }: PainQuestion,
  { first, found }: { first: readonly EvidenceRow[]; found: Map<string, ResolvedEvidence> },
): void {
  const asked = first.flatMap(({ recordId }) => found.get(recordId) ?? []).filter(({ input }) => input === null)
  for (const [recordId, input] of readInputs(connection, projectNo, asked))
    found.set(recordId, { ...found.get(recordId)!, input })
}

function unread({ traceId, spanId, recordId, sessionId, eventMs }: EvidenceRow): ResolvedEvidence {
  const session = sessionId === toHex(traceId) && isLoneTrace(traceId, spanId) ? recordId : sessionId
  const shownTraceId = isLoneTrace(traceId, spanId) ? NO_TRACE_ID : toHex(traceId)
  const evidence = { recordId, traceId: shownTraceId, sessionId: session, failedAtMs: eventMs }
  const nothing = { detection: null, routes: [], logRecordIds: [], input: null }
  return { traceId, spanId, evidence, isRead: false, hasTextId: false, ...nothing }
}

/** Traces are read a few at a time, and only what is asked of them is kept. */
function readWhole(
  connection: TelemetryConnection,
  question: PainQuestion,
  rows: readonly EvidenceRow[],
  found: Map<string, ResolvedEvidence>,
): void {
  const byTrace = Map.groupBy(rows, ({ traceId }) => toHex(traceId))
  const traceIds = rows.map(({ traceId }) => traceId)
  const off = new Set(question.off)
  for (const { traceId, stored } of eachTrace(connection, question.projectNo, traceIds, WHOLE_TRACE_FILTER)) {
    const byId = new Map(stored.map(({ ctx }) => [toHex(ctx.span.spanId), ctx]))
    const rowsOfTrace = byTrace.get(traceId) ?? []
    const showsAlone = ({ spanId }: EvidenceRow) => {
      const ctx = byId.get(toHex(spanId))
      return ctx === undefined || toTraceSpan(ctx, off).detection !== null
    }
    const isSeenAlone = stored.every(({ ctx }) => !ctx.span.log) && rowsOfTrace.every(showsAlone)
    const toldOf = isSeenAlone ? NOTHING_TOLD : readTold(connection, { projectId: question.projectId, off }, stored)
    for (const row of rowsOfTrace) {
      const ctx = byId.get(toHex(row.spanId))
      if (ctx) found.set(row.recordId, resolve(row, { ctx, byId, off, toldOf }))
    }
  }
}

interface TraceAround {
  ctx: SpanInContext
  /** Spans of the trace by hex id. */
  byId: ReadonlyMap<string, SpanInContext>
  off: ReadonlySet<SignalType>
  /** By hex span id of a failure's origin; asked only where log records, or the trace as a whole, say what is seen of it. */
  toldOf: ReadonlyMap<string, Told>
}

/** What is known of a failure from its trace. */
interface Told {
  detection: Detection
  logRecordIds: string[]
}

const NOTHING_TOLD: ReadonlyMap<string, Told> = new Map()

function readTold(
  connection: TelemetryConnection,
  owner: { projectId: string; off: ReadonlySet<SignalType> },
  stored: readonly StoredSpan[],
): Map<string, Told> {
  const { failures } = judgeWhole(connection, { ...owner, isOver: true }, stored)
  return new Map(
    failures.map(({ span, detection, propagatedTo }) => {
      const logs = propagatedTo.filter((told) => told.span.log)
      const logRecordIds = logs.map((told) => encodeRecordId(told.span.traceId, told.span.spanId))
      return [toHex(span.spanId), { detection, logRecordIds }]
    }),
  )
}

function resolve({ recordId, sessionId, eventMs }: EvidenceRow, { ctx, byId, off, toldOf }: TraceAround): ResolvedEvidence {
  const { span } = ctx
  const { view, detection } = toTraceSpan(ctx, off)
  const place = { service: toIndexText(view.service), operation: toIndexText(view.operation) }
  const told = toldOf.get(toHex(span.spanId))
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    isRead: true,
    hasTextId: span.attributes.has(ORIGINAL_TRACE_ID),
    input: null,
    evidence: { recordId, traceId: traceIdText(span), sessionId: sessionText(sessionId, span), failedAtMs: eventMs, place },
    detection: told?.detection ?? detection,
    routes: routesAbove(ctx, byId),
    logRecordIds: told?.logRecordIds ?? [],
  }
}
