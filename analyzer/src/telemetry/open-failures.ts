import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { createTraceDecisions } from '@loopkit/shared/database/telemetry/trace-decisions'
import { toHex } from '@loopkit/shared/otlp/ids'
import { ruleAttributes } from '@loopkit/shared/signals/fingerprint-rules'
import { createJudgeMemory, type JudgeMemory } from '@loopkit/shared/signals/judge-memory'
import type { Failure, JudgedTrace } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { PainView } from '../domain/pain-view.ts'
import { type MinuteWindow, windowBoundsMs } from '../domain/window.ts'
import { eachTrace } from './each-trace.ts'
import { eventMsOf, spanNumber, traceIdText, wholeTraceFilter } from './judge-span.ts'
import { judgeWhole } from './judge-whole.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Open traces that one question judges, the newest first (write-path §5); the rest is counted and named. */
export const OPEN_TRACES_JUDGED_MAX = 500
/** Those among them in which nothing failed by itself: most are healthy. */
const SOFT_TRACES_JUDGED_MAX = 100
/** Spans after which no further open trace is judged. */
const SPANS_JUDGED_MAX = 200_000

/** A failure of a trace that is not yet decided, judged by the rules that will decide it. */
export interface OpenFailure {
  fingerprint: string
  parentKey: string
  failure: Failure
  traceHash: bigint
  traceId: string
  recordId: string
  eventMs: number
  user: string | null
  /** Names as rows hold them, so that they meet the counts. */
  service: string
  operation: string
  release: string | null
  /** Services that the error passed through. */
  services: string[]
}

export interface OpenFailures {
  failures: OpenFailure[]
  /** Traces with failing spans that were not looked at. */
  notJudged: number
}

interface OpenRow {
  trace_hash: bigint
  trace_id: Uint8Array
  decided_before: bigint
}

export interface OpenQuestion {
  projectNo: number
  projectId: string
  window: MinuteWindow
  off: ReadonlySet<SignalType>
  view: Pick<PainView, 'rules'>
}

/** Judges the newest open traces of the window, read-only. A failure that an earlier decision has counted is left out. */
export function judgeOpenTraces(connection: TelemetryConnection, question: OpenQuestion): OpenFailures {
  const { rows, total } = openRows(connection, question)
  const byTrace = new Map(rows.map((row) => [toHex(row.trace_id), row]))
  const traceIds = rows.map(({ trace_id }) => trace_id)
  const failures: OpenFailure[] = []
  const memory = createJudgeMemory(question.projectId)
  let judged = 0
  let spans = 0
  for (const { traceId, stored } of eachTrace(
    connection,
    question.projectNo,
    traceIds,
    wholeTraceFilter(ruleAttributes(question.view.rules)),
  )) {
    if (spans >= SPANS_JUDGED_MAX) break
    spans += stored.length
    judged += 1
    failures.push(...failuresOfTrace(connection, question, { row: byTrace.get(traceId)!, stored, memory }))
  }
  return { failures, notJudged: Math.max(0, total - judged) }
}

/** Traces with failing spans first; those with agents' steps may hold what only a whole trace shows. */
function openRows({ db }: TelemetryConnection, { projectNo, window }: OpenQuestion): { rows: OpenRow[]; total: number } {
  const { fromMs } = windowBoundsMs(window)
  const read = (what: string, limit: number) =>
    db
      .prepare(
        `select trace_hash, trace_id, decided_before from open_trace where project_no = ? and ${what} and last_received_ms >= ?
         order by last_received_ms desc, trace_hash limit ?`,
      )
      .safeIntegers()
      .all(projectNo, fromMs, limit) as OpenRow[]
  const failing = read('failing > 0', OPEN_TRACES_JUDGED_MAX)
  const soft = read('failing = 0 and agent_steps > 0', Math.min(SOFT_TRACES_JUDGED_MAX, OPEN_TRACES_JUDGED_MAX - failing.length))
  const total = db
    .prepare('select count(*) from open_trace where project_no = ? and failing > 0 and last_received_ms >= ?')
    .pluck()
    .get(projectNo, fromMs) as number
  return { rows: [...failing, ...soft], total: total + soft.length }
}

function failuresOfTrace(
  connection: TelemetryConnection,
  { projectId, projectNo, window, off, view }: OpenQuestion,
  { row, stored, memory }: { row: OpenRow; stored: StoredSpan[]; memory: JudgeMemory },
): OpenFailure[] {
  const { fromMs, toMs } = windowBoundsMs(window)
  const arrivalOf = new Map(stored.map(({ ctx, receivedMs }) => [ctx.span, receivedMs]))
  const judged = judgeWhole(connection, { projectId, off, isOver: false, rules: view.rules, memory }, stored)
  const counted = row.decided_before === 0n ? () => false : countedBefore(connection.db, projectNo, row.trace_hash)
  return judged.failures
    .filter(({ span }) => {
      const receivedMs = arrivalOf.get(span) ?? 0
      return receivedMs >= fromMs && receivedMs < toMs
    })
    .filter((failure) => !counted(failure))
    .map((failure) => toOpenFailure(failure, judged, { traceHash: row.trace_hash, receivedMs: arrivalOf.get(failure.span) ?? 0 }))
}

/**
 * Whether an earlier decision counts this failure already: as itself, or at a span that now only passes it on. A late span
 * moves the blame with the correction, not before, so that a failure is counted once at any time.
 */
function countedBefore(db: TelemetryConnection['db'], projectNo: number, traceHash: bigint): (failure: Failure) => boolean {
  const ofDecision = db
    .prepare(
      `select span_id, f.signal from failure join fingerprint f using (fingerprint_no)
       where failure.decision_no = ? and trace_hash = ? limit ${SPANS_JUDGED_MAX}`,
    )
    .safeIntegers()
    .raw()
  const rows = createTraceDecisions(db)(projectNo, traceHash).flatMap(
    (decisionNo) => ofDecision.all(decisionNo, traceHash) as [bigint, string][],
  )
  const spans = new Set(rows.map(([spanId]) => spanId))
  // By its signal: rules may have come since that count it under another fingerprint.
  const failures = new Set(rows.map(([spanId, signal]) => `${spanId} ${signal}`))
  return ({ span, detection, propagatedTo }) =>
    failures.has(`${spanNumber(span.spanId)} ${detection.signal}`) ||
    propagatedTo.some((ancestor) => spans.has(spanNumber(ancestor.span.spanId))) ||
    // A log record that came late may have given it other words.
    (propagatedTo.some((told) => told.span.log) && spans.has(spanNumber(span.spanId)))
}

function toOpenFailure(
  failure: Failure,
  judged: JudgedTrace,
  { traceHash, receivedMs }: { traceHash: bigint; receivedMs: number },
): OpenFailure {
  const { span, view, fingerprint, sessionId, propagatedTo } = failure
  const part = judged.sessions.find((session) => session.sessionId === sessionId)
  return {
    fingerprint: toHex(fingerprint.key),
    parentKey: toHex(fingerprint.parentKey),
    failure,
    traceHash,
    traceId: traceIdText(span),
    recordId: encodeRecordId(span.traceId, span.spanId),
    eventMs: eventMsOf(span) || receivedMs,
    user: view.user ?? part?.user ?? null,
    services: [...new Set([view.service, ...propagatedTo.map((ancestor) => ancestor.view.service)])].map(toIndexText),
    service: toIndexText(view.service),
    operation: toIndexText(view.operation),
    release: view.release === null ? null : toIndexText(view.release),
  }
}
