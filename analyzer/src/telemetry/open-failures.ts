import { readTraces, type StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { toHex } from '@loopkit/shared/otlp/ids'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { Failure, JudgedTrace } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { type MinuteWindow, windowBoundsMs } from '../domain/window.ts'
import { JUDGE_FILTER, spanNumber, toTraceSpan, traceIdText } from './judge-span.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Open traces that one question judges, the newest first (write-path §5); the rest is counted and named. */
export const OPEN_TRACES_JUDGED_MAX = 500
/** Traces read together, and the spans after which no further ones are read: what one question may hold in memory. */
const TRACES_AT_ONCE = 50
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
}

/** Judges the newest open traces of the window, read-only. A failure that an earlier decision has counted is left out. */
export function judgeOpenTraces(connection: TelemetryConnection, question: OpenQuestion): OpenFailures {
  const { rows, total } = openRows(connection, question)
  const failures: OpenFailure[] = []
  let judged = 0
  let spans = 0
  for (let at = 0; at < rows.length && spans < SPANS_JUDGED_MAX; at += TRACES_AT_ONCE) {
    const batch = rows.slice(at, at + TRACES_AT_ONCE)
    const traces = readTraces(
      connection.db,
      connection.hasher,
      question.projectNo,
      batch.map(({ trace_id }) => trace_id),
      { filter: JUDGE_FILTER, index: connection.index },
    )
    for (const row of batch) {
      const stored = traces.get(toHex(row.trace_id)) ?? []
      spans += stored.length
      failures.push(...failuresOfTrace(connection, question, { row, stored }))
    }
    judged += batch.length
  }
  return { failures, notJudged: total - judged }
}

function openRows({ db }: TelemetryConnection, { projectNo, window }: OpenQuestion): { rows: OpenRow[]; total: number } {
  const { fromMs } = windowBoundsMs(window)
  const open = 'from open_trace where project_no = ? and failing > 0 and last_received_ms >= ?'
  const rows = db
    .prepare(`select trace_hash, trace_id, decided_before ${open} order by last_received_ms desc, trace_hash limit ?`)
    .safeIntegers()
    .all(projectNo, fromMs, OPEN_TRACES_JUDGED_MAX) as OpenRow[]
  const total = db.prepare(`select count(*) ${open}`).pluck().get(projectNo, fromMs) as number
  return { rows, total }
}

function failuresOfTrace(
  { db }: TelemetryConnection,
  { projectId, projectNo, window, off }: OpenQuestion,
  { row, stored }: { row: OpenRow; stored: StoredSpan[] },
): OpenFailure[] {
  const { fromMs, toMs } = windowBoundsMs(window)
  const arrivalOf = new Map(stored.map(({ ctx, receivedMs }) => [ctx.span, receivedMs]))
  const judged = judgeTrace(
    projectId,
    stored.map(({ ctx }) => toTraceSpan(ctx, off)),
  )
  const counted = row.decided_before === 0n ? () => false : countedBefore(db, projectNo, row.trace_hash)
  return judged.failures
    .filter(({ span }) => {
      const receivedMs = arrivalOf.get(span) ?? 0
      return receivedMs >= fromMs && receivedMs < toMs
    })
    .filter((failure) => !counted(failure))
    .map((failure) => toOpenFailure(failure, judged, row.trace_hash))
}

function countedBefore(db: TelemetryConnection['db'], projectNo: number, traceHash: bigint): (failure: Failure) => boolean {
  const row = db.prepare(
    `select 1 from failure join fingerprint f using (fingerprint_no)
     where failure.project_no = ? and trace_hash = ? and span_id = ? and f.fingerprint = ?`,
  )
  return ({ span, fingerprint }) => row.get(projectNo, traceHash, spanNumber(span.spanId), fingerprint.key) !== undefined
}

function toOpenFailure(failure: Failure, judged: JudgedTrace, traceHash: bigint): OpenFailure {
  const { span, view, fingerprint, sessionId, propagatedTo } = failure
  const part = judged.sessions.find((session) => session.sessionId === sessionId)
  return {
    fingerprint: toHex(fingerprint.key),
    parentKey: toHex(fingerprint.parentKey),
    failure,
    traceHash,
    traceId: traceIdText(span),
    recordId: encodeRecordId(span.traceId, span.spanId),
    eventMs: nanoToMs(span.endUnixNano === 0n ? span.startUnixNano : span.endUnixNano),
    user: view.user ?? part?.user ?? null,
    services: [...new Set([view.service, ...propagatedTo.map((ancestor) => ancestor.view.service)])],
  }
}
