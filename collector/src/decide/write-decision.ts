import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { FINGERPRINT_SCHEME } from '@loopkit/shared/signals/fingerprint'
import type { Failure, SessionPart } from '@loopkit/shared/signals/model'
import { clampNano, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { createDictionary, type Dictionary } from '../write/dictionary.ts'
import { eventNanoOf } from '../write/index-spans.ts'
import type { WriteTurn } from '../write/write-turn.ts'
import { differ, type FailureRow, type StoredFailureRow } from './failure-difference.ts'
import type { Judging, OpenTrace } from './judge-stored.ts'

/** Writes what was judged; one transaction for all traces of a batch. */
export interface DecisionWriter {
  /**
   * Answers the stored hashes of the traces that are decided now. One that got spans while it was judged is left open.
   */
  write(judgings: readonly Judging[], decidedMs: number): bigint[]
}

const MINUTE_MS = 60_000
/** Texts of a fingerprint's row, in characters: for people, the whole is in the record. */
const TEXT_MAX = 2_000
const SERVICES_MAX = 50

type Statements = ReturnType<typeof prepareStatements>

interface Deciding {
  statements: Statements
  dictionary: Dictionary
  decisionNo: number
  decidedMs: number
}

export function createDecisionWriter(db: SqliteDatabase, turn: WriteTurn): DecisionWriter {
  const statements = prepareStatements(db)
  const dictionary = createDictionary(db)

  function writeAll(judgings: readonly Judging[], decidedMs: number): bigint[] {
    const closed = judgings.filter(
      ({ trace }) => statements.close.run(trace.rowId, trace.traceHash, trace.lastCommit).changes === 1,
    )
    if (closed.length === 0) return []
    const decisionNo = statements.decision.get(decidedMs, closed.length) as number
    for (const judging of closed) writeTrace({ statements, dictionary, decisionNo, decidedMs }, judging)
    return closed.map(({ trace }) => trace.traceHash)
  }

  return {
    write(judgings, nowMs) {
      return turn(() => {
        db.exec('begin immediate')
        try {
          dictionary.refresh()
          const last = statements.lastDecided.get() as number | null | undefined
          const decided = writeAll(judgings, Math.max(nowMs, last ?? 0))
          db.exec('commit')
          return decided
        } catch (error) {
          dictionary.forget()
          if (db.inTransaction) db.exec('rollback')
          throw error
        }
      })
    },
  }
}

function writeTrace(deciding: Deciding, { trace, judged }: Judging): void {
  const { statements, decisionNo, decidedMs } = deciding
  const { projectNo, traceHash, traceId } = trace
  const sessionNos = writeSessions(deciding, trace, judged.sessions)
  const after = judged.failures.map((failure) => failureRow(deciding, trace, sessionNos, failure))
  const before = trace.decidedBefore ? readFailures(statements, trace) : []
  const { removed, added, counts } = differ(before, after)
  for (const { failureNo } of removed) statements.removeFailure.run(failureNo)
  for (const row of added) {
    statements.addFailure.run(
      projectNo,
      row.fingerprintNo,
      traceHash,
      traceId,
      row.spanId,
      row.sessionNo,
      row.releaseNo,
      row.eventMs,
      decidedMs,
      decisionNo,
      row.weight,
      row.services,
    )
  }
  const decidedMinute = Math.floor(decidedMs / MINUTE_MS)
  for (const { eventMinute, fingerprintNo, releaseNo, failures, weight, weightSquared } of counts)
    statements.count.run(projectNo, decidedMinute, eventMinute, fingerprintNo, releaseNo, failures, weight, weightSquared)
  statements.decided.run(projectNo, traceHash, traceId, decisionNo, decidedMs)
}

function readFailures(statements: Statements, { projectNo, traceHash }: OpenTrace): StoredFailureRow[] {
  const rows = statements.failures.all(projectNo, traceHash) as {
    failure_no: bigint
    span_id: bigint
    fingerprint_no: bigint
    session_no: bigint
    release_no: bigint
    event_ms: bigint
    weight: number
    services: string
  }[]
  return rows.map((row) => ({
    failureNo: Number(row.failure_no),
    spanId: row.span_id,
    fingerprintNo: Number(row.fingerprint_no),
    sessionNo: Number(row.session_no),
    releaseNo: Number(row.release_no),
    eventMs: Number(row.event_ms),
    weight: row.weight,
    services: row.services,
  }))
}

function failureRow(deciding: Deciding, trace: OpenTrace, sessionNos: ReadonlyMap<string, number>, failure: Failure): FailureRow {
  const { dictionary, decidedMs } = deciding
  const { span, view, weight, propagatedTo, sessionId } = failure
  const { projectNo } = trace
  const service = toIndexText(view.service)
  const eventMs = nanoToMs(eventNanoOf(span)) || trace.lastReceivedMs
  const services = [...new Set([view.service, ...propagatedTo.map((ancestor) => ancestor.view.service)])]
  return {
    spanId: Buffer.from(span.spanId).readBigInt64BE(),
    fingerprintNo: fingerprintNo(deciding, projectNo, failure),
    sessionNo: sessionNos.get(sessionId) ?? dictionary.sessionNo(projectNo, toIndexText(sessionId), false, decidedMs),
    releaseNo: dictionary.releaseNo(projectNo, service, toIndexText(view.release ?? ''), decidedMs),
    eventMs,
    weight,
    services: JSON.stringify(services.slice(0, SERVICES_MAX).map(toIndexText)),
  }
}

function fingerprintNo({ statements, dictionary, decidedMs }: Deciding, projectNo: number, failure: Failure): number {
  const { fingerprint, detection, view } = failure
  const known = statements.findFingerprint.get(projectNo, fingerprint.key) as number | undefined
  if (known !== undefined) return known
  const service = toIndexText(view.service)
  const operation = toIndexText(view.operation)
  return statements.addFingerprint.get(
    projectNo,
    fingerprint.key,
    fingerprint.parentKey,
    FINGERPRINT_SCHEME,
    detection.signal,
    service,
    operation,
    dictionary.operationNo(projectNo, service, operation),
    detection.errorType === null ? null : toIndexText(detection.errorType),
    clip(fingerprint.template),
    detection.message === null ? null : clip(detection.message),
    JSON.stringify(fingerprint.steps.map(({ step, value }) => ({ step, value: clip(value) }))),
    decidedMs,
  ) as number
}

/**
 * Totals of each session's part in the trace, in place of what was there. A trace that named no session is listed only
 * when it has work of an agent or failures. Answers the numbers by session id.
 */
function writeSessions({ statements, dictionary, decidedMs }: Deciding, trace: OpenTrace, parts: readonly SessionPart[]) {
  const { projectNo, traceHash, traceId, lastReceivedMs } = trace
  const numbers = new Map<string, number>()
  statements.clearSessions.run(projectNo, traceHash)
  for (const part of parts) {
    if (!part.explicit && part.failures + part.turns + part.toolCalls === 0 && part.agent === null) continue
    const sessionNo = dictionary.sessionNo(projectNo, toIndexText(part.sessionId), part.explicit, decidedMs)
    numbers.set(part.sessionId, sessionNo)
    statements.addSession.run(
      projectNo,
      sessionNo,
      traceHash,
      traceId,
      lastReceivedMs,
      decidedMs,
      part.agent === null ? null : toIndexText(part.agent),
      part.user === null ? null : toIndexText(part.user),
      count(part.spans),
      count(part.turns),
      count(part.toolCalls),
      count(part.inputTokens),
      count(part.outputTokens),
      part.costUsd !== null && Number.isFinite(part.costUsd) ? part.costUsd : null,
      count(part.failures),
      nanoToMs(clampNano(part.startUnixNano)),
      nanoToMs(clampNano(part.endUnixNano)),
    )
  }
  return numbers
}

/** A number from telemetry as an INTEGER column takes it. */
function count(value: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(0, Math.trunc(value)), Number.MAX_SAFE_INTEGER) : 0
}

function clip(text: string): string {
  return text.slice(0, TEXT_MAX).toWellFormed().replaceAll('\0', '\ufffd')
}

function prepareStatements(db: SqliteDatabase) {
  return {
    lastDecided: db.prepare('select decided_ms from decision order by decision_no desc limit 1').pluck(),
    close: db.prepare('delete from open_trace where rowid = ? and trace_hash = ? and last_commit = ?'),
    decision: db.prepare('insert into decision (decided_ms, traces) values (?, ?) returning decision_no').pluck(),
    decided: db.prepare(`
      insert into decided_trace (project_no, trace_hash, trace_id, decision_no, decided_ms) values (?, ?, ?, ?, ?)
      on conflict do update set decision_no = excluded.decision_no, decided_ms = excluded.decided_ms`),
    failures: db
      .prepare(`
        select failure_no, span_id, fingerprint_no, session_no, release_no, event_ms, weight, services
        from failure where project_no = ? and trace_hash = ?`)
      .safeIntegers(),
    removeFailure: db.prepare('delete from failure where failure_no = ?'),
    addFailure: db.prepare(`
      insert into failure (project_no, fingerprint_no, trace_hash, trace_id, span_id, session_no, release_no, event_ms,
                           decided_ms, decision_no, weight, services)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    count: db.prepare(`
      insert into failure_count (project_no, decided_minute, event_minute, fingerprint_no, release_no, failures, weight, weight_squared)
      values (?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do update set failures = failures + excluded.failures, weight = weight + excluded.weight,
        weight_squared = weight_squared + excluded.weight_squared`),
    findFingerprint: db.prepare('select fingerprint_no from fingerprint where project_no = ? and fingerprint = ?').pluck(),
    addFingerprint: db
      .prepare(`
        insert into fingerprint (project_no, fingerprint, parent_key, scheme, signal, service, operation, operation_no,
                                 error_type, template, sample_message, steps, first_seen_ms)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning fingerprint_no`)
      .pluck(),
    // Left to itself, SQLite walks all of the project's rows for each trace.
    clearSessions: db.prepare(
      'delete from session_trace indexed by session_trace_by_trace where project_no = ? and trace_hash = ?',
    ),
    addSession: db.prepare(`
      insert into session_trace (project_no, session_no, trace_hash, trace_id, received_ms, decided_ms, agent, user, spans, turns,
                                 tool_calls, input_tokens, output_tokens, cost_usd, failures, start_ms, end_ms)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do update set spans = spans + excluded.spans, turns = turns + excluded.turns,
        tool_calls = tool_calls + excluded.tool_calls, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, failures = failures + excluded.failures,
        start_ms = min(start_ms, excluded.start_ms), end_ms = max(end_ms, excluded.end_ms)`),
  }
}
