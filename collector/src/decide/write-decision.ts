import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { KEEP_AWAITING_END } from '@loopkit/shared/database/telemetry/awaits-end'
import { createFindFingerprint } from '@loopkit/shared/database/telemetry/fingerprint-aliases'
import { createTraceDecisions, packDecidedHashes } from '@loopkit/shared/database/telemetry/trace-decisions'
import { FINGERPRINT_SCHEME } from '@loopkit/shared/signals/fingerprint'
import { FINGERPRINTS_MAX } from '@loopkit/shared/signals/fingerprint-cap'
import type { Dictionary } from '../write/dictionary.ts'
import type { DecidedFailure, DecidedFingerprint, DecidedSession, TraceDecision } from './describe-decision.ts'
import { type CountDelta, differ, type FailureRow, type StoredFailureRow } from './failure-difference.ts'
import { createFingerprintCap, type FingerprintCap } from './fingerprint-cap.ts'
import type { OpenTrace } from './open-rows.ts'
import { type CostDeltas, createCostWriter } from './write-costs.ts'
import { createMarkerWriter } from './write-markers.ts'

/** Writes what was judged. Call it inside the transaction that is to hold it, after the dictionary was refreshed. */
export interface DecisionWriter {
  /**
   * One decision for each project. Answers the stored hashes of the traces that are decided now; one that got spans while
   * it was judged is left open.
   */
  apply(decisions: readonly TraceDecision[], nowMs: number): bigint[]
  /** After a rollback: numbers given in it do not exist. */
  forget(): void
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Lists of services that are numbered for a project; of more the rows hold the text. */
const SERVICE_LISTS_MAX = 20_000
const REMEMBERED_MAX = 20_000

type Statements = ReturnType<typeof prepareStatements>

interface Deciding {
  statements: Statements
  dictionary: Dictionary
  serviceLists: Map<string, number>
  projectNo: number
  decisionNo: number
  decidedMs: number
  /** Of the next failure's row. */
  failureNo: number
  counts: Map<string, CountDelta>
  costs: CostDeltas
  cap: FingerprintCap
}

export function createDecisionWriter(
  db: SqliteDatabase,
  dictionary: Dictionary,
  fingerprintsMax = FINGERPRINTS_MAX,
): DecisionWriter {
  const statements = prepareStatements(db)
  const decisionsOf = createTraceDecisions(db)
  const serviceLists = new Map<string, number>()
  const markers = createMarkerWriter(db)
  const costs = createCostWriter(db)
  const cap = createFingerprintCap(db, fingerprintsMax)

  function decide(projectNo: number, decisions: readonly TraceDecision[], nowMs: number): void {
    const last = statements.last.get() as { decision_no: number; decided_ms: number; last_failure_no: number } | undefined
    const deciding: Deciding = {
      ...{ statements, dictionary, serviceLists, projectNo },
      decisionNo: (last?.decision_no ?? 0) + 1,
      // Rows are found by time through their decision, so time must not fall.
      decidedMs: Math.max(nowMs, last?.decided_ms ?? 0),
      failureNo: (last?.last_failure_no ?? 0) + 1,
      counts: new Map(),
      costs: costs.begin(projectNo),
      cap,
    }
    const firstFailureNo = deciding.failureNo
    for (const decision of decisions) {
      if (decision.isTooLarge) {
        tellTooLarge(deciding)
        continue
      }
      const before = decision.trace.decidedBefore ? readFailures(statements, decisionsOf, decision.trace) : []
      writeTrace(deciding, decision, before)
      markers.write(projectNo, decision.markers, deciding.decidedMs)
    }
    costs.write(projectNo, deciding.costs, deciding.decidedMs)
    writeCounts(deciding)
    const { decisionNo, decidedMs, failureNo } = deciding
    statements.decision.run(decisionNo, projectNo, decidedMs, decisions.length, firstFailureNo, failureNo - 1)
    const hashes = packDecidedHashes(decisions.map(({ trace }) => trace.traceHash))
    statements.unfolded.run(projectNo, deciding.decisionNo, hashes)
  }

  return {
    apply(decisions, nowMs) {
      const closed = decisions.filter(({ trace, awaitsEnd }) => {
        const take = awaitsEnd ? statements.keep : statements.close
        return take.run(trace.rowId, trace.traceHash, trace.lastCommit).changes === 1
      })
      for (const [projectNo, own] of Map.groupBy(closed, ({ trace }) => trace.projectNo)) decide(projectNo, own, nowMs)
      return closed.map(({ trace }) => trace.traceHash)
    },
    forget() {
      serviceLists.clear()
      markers.forget()
      cap.forget()
    },
  }
}

function writeCounts({ statements, projectNo, decidedMs, counts }: Deciding): void {
  const decidedMinute = Math.floor(decidedMs / MINUTE_MS)
  for (const { eventMinute, fingerprintNo: ofPain, releaseNo, failures, weight, weightSquared } of counts.values())
    statements.count.run(projectNo, decidedMinute, eventMinute, ofPain, releaseNo, failures, weight, weightSquared)
}

function writeTrace(deciding: Deciding, { trace, failures, sessions }: TraceDecision, before: StoredFailureRow[]): void {
  const { statements, projectNo, decidedMs } = deciding
  const sessionNos = writeSessions(deciding, trace, sessions)
  const after = failures.map((failure) => failureRow(deciding, sessionNos, failure))
  const { removed, added, counts } = differ(before, after)
  for (const { failureNo, fingerprintNo: ofPain, decidedMs: beforeMs } of removed) {
    statements.removeFailure.run(failureNo)
    statements.stale.run(projectNo, ofPain, Math.floor(beforeMs / HOUR_MS))
  }
  for (const row of added) {
    const listNo = serviceListNo(deciding, row.services)
    statements.addFailure.run(
      deciding.failureNo++,
      row.fingerprintNo,
      trace.traceHash,
      trace.traceId,
      row.spanId,
      row.sessionNo,
      row.releaseNo,
      row.eventMs,
      decidedMs - trace.lastReceivedMs,
      row.weight,
      listNo,
      listNo === 0 ? row.services : null,
      row.endedTrace ? 1 : 0,
    )
  }
  for (const delta of counts) addCount(deciding.counts, delta)
}

/** The ledger says what was not judged; the records are stored all the same. */
function tellTooLarge({ statements, projectNo, decidedMs }: Deciding): void {
  statements.ledger.run(projectNo, Math.floor(decidedMs / MINUTE_MS), 'not_judged:trace_too_large')
}

/** Rows of the decisions that judged the trace before. */
function readFailures(
  { failuresOf }: Statements,
  decisionsOf: (projectNo: number, hash: bigint) => number[],
  { projectNo, traceHash }: OpenTrace,
): StoredFailureRow[] {
  const rows = decisionsOf(projectNo, traceHash).flatMap((decisionNo) => failuresOf.all(decisionNo, traceHash)) as {
    failure_no: bigint
    decided_ms: bigint
    span_id: bigint
    fingerprint_no: bigint
    session_no: bigint
    release_no: bigint
    event_ms: bigint
    weight: number
    services: string
    ended_trace: bigint
  }[]
  return rows.map((row) => ({
    failureNo: Number(row.failure_no),
    decidedMs: Number(row.decided_ms),
    spanId: row.span_id,
    fingerprintNo: Number(row.fingerprint_no),
    sessionNo: Number(row.session_no),
    releaseNo: Number(row.release_no),
    eventMs: Number(row.event_ms),
    weight: row.weight,
    services: row.services,
    endedTrace: row.ended_trace === 1n,
  }))
}

function failureRow(deciding: Deciding, sessionNos: ReadonlyMap<string, number>, failure: DecidedFailure): FailureRow {
  const { dictionary, projectNo, decidedMs } = deciding
  const { spanId, fingerprint, sessionId, service, release, eventMs, weight, services, endedTrace } = failure
  return {
    ...{ spanId, eventMs, weight, services, endedTrace },
    fingerprintNo: fingerprintNo(deciding, fingerprint),
    sessionNo: sessionNos.get(sessionId) ?? 0,
    releaseNo: dictionary.releaseNo(projectNo, service, release, decidedMs),
  }
}

function fingerprintNo({ statements, dictionary, cap, projectNo, decidedMs }: Deciding, fingerprint: DecidedFingerprint): number {
  const { key, parentKey, signal, service, operation, errorType, template, message, steps } = fingerprint
  const known = statements.findFingerprint(projectNo, fingerprint)
  if (known?.isNew) statements.addAlias.run(projectNo, key, known.fingerprintNo)
  if (known !== null) return known.fingerprintNo
  if (cap.isFull(projectNo)) return cap.overflowNo(projectNo, decidedMs)
  cap.noteNew(projectNo)
  return statements.addFingerprint.get(
    projectNo,
    key,
    parentKey,
    FINGERPRINT_SCHEME,
    signal,
    service,
    operation,
    dictionary.operationNo(projectNo, service, operation),
    errorType,
    template,
    message,
    steps,
    decidedMs,
  ) as number
}

/** 0 where the project has too many: the row then holds the list itself. */
function serviceListNo({ statements, serviceLists, projectNo }: Deciding, services: string): number {
  const key = `${projectNo} ${services}`
  const known = serviceLists.get(key)
  if (known !== undefined) return known
  if (serviceLists.size >= REMEMBERED_MAX) serviceLists.clear()
  const add = () =>
    (statements.countServices.get(projectNo) as number) < SERVICE_LISTS_MAX ? statements.addServices.get(projectNo, services) : 0
  const listNo = (statements.findServices.get(projectNo, services) ?? add()) as number
  serviceLists.set(key, listNo)
  return listNo
}

/**
 * Totals of each session's part in the trace, in place of what was there. Answers the numbers of those that a span named, by
 * session id.
 */
function writeSessions(deciding: Deciding, trace: OpenTrace, parts: readonly DecidedSession[]): Map<string, number> {
  const { statements, dictionary, projectNo, decidedMs } = deciding
  const { traceHash, traceId, lastReceivedMs } = trace
  const numbers = new Map<string, number>()
  if (trace.decidedBefore) deciding.costs.takeBack(traceHash)
  statements.clearSessions.run(projectNo, traceHash)
  for (const part of parts) {
    const sessionNo = dictionary.sessionNo(projectNo, part.sessionId, part.explicit, decidedMs)
    if (part.explicit) numbers.set(part.sessionId, sessionNo)
    const operationNo = part.run && dictionary.operationNo(projectNo, part.run.service, part.run.operation)
    if (part.run && operationNo !== null) deciding.costs.add({ ...part, operationNo, traceId, spanId: part.run.spanId })
    statements.addSession.run(
      projectNo,
      sessionNo,
      traceHash,
      traceId,
      lastReceivedMs,
      decidedMs,
      part.agent,
      part.user,
      part.spans,
      part.turns,
      part.toolCalls,
      part.inputTokens,
      part.outputTokens,
      part.costUsd,
      part.failures,
      part.startMs,
      part.endMs,
      operationNo,
    )
  }
  return numbers
}

function addCount(counts: Map<string, CountDelta>, delta: CountDelta): void {
  const key = `${delta.fingerprintNo} ${delta.releaseNo} ${delta.eventMinute}`
  const known = counts.get(key)
  if (!known) {
    counts.set(key, { ...delta })
    return
  }
  known.failures += delta.failures
  known.weight += delta.weight
  known.weightSquared += delta.weightSquared
}

function prepareStatements(db: SqliteDatabase) {
  return {
    last: db.prepare('select decision_no, decided_ms, last_failure_no from decision order by decision_no desc limit 1'),
    close: db.prepare('delete from open_trace where rowid = ? and trace_hash = ? and last_commit = ?'),
    keep: db.prepare(KEEP_AWAITING_END),
    decision: db.prepare(`
      insert into decision (decision_no, project_no, decided_ms, traces, first_failure_no, last_failure_no)
      values (?, ?, ?, ?, ?, ?)`),
    unfolded: db.prepare('insert into unfolded_decision (project_no, decision_no, trace_hashes) values (?, ?, ?)'),
    failuresOf: db
      .prepare(`
        select failure_no, decided_ms, span_id, fingerprint_no, session_no, release_no, event_ms, weight, services, ended_trace
        from failure where decision_no = ? and trace_hash = ?`)
      .safeIntegers(),
    removeFailure: db.prepare('delete from decided_failure where failure_no = ?'),
    stale: db.prepare('insert or ignore into stale_rollup (project_no, fingerprint_no, hour) values (?, ?, ?)'),
    addFailure: db.prepare(`
      insert into decided_failure (failure_no, fingerprint_no, trace_hash, trace_id, span_id, session_no, release_no, event_ms,
                                   waited_ms, weight, service_list_no, services, ended_trace)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    count: db.prepare(`
      insert into failure_count (project_no, decided_minute, event_minute, fingerprint_no, release_no, failures, weight, weight_squared)
      values (?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do update set failures = failures + excluded.failures, weight = weight + excluded.weight,
        weight_squared = weight_squared + excluded.weight_squared`),
    ledger: db.prepare(`
      insert into ledger (project_no, minute, what, count) values (?, ?, ?, 1) on conflict do update set count = count + 1`),
    findFingerprint: createFindFingerprint(db),
    addAlias: db.prepare('insert or ignore into fingerprint_alias (project_no, fingerprint, fingerprint_no) values (?, ?, ?)'),
    addFingerprint: db
      .prepare(`
        insert into fingerprint (project_no, fingerprint, parent_key, scheme, signal, service, operation, operation_no,
                                 error_type, template, sample_message, steps, first_seen_ms)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning fingerprint_no`)
      .pluck(),
    findServices: db.prepare('select service_list_no from service_list where project_no = ? and services = ?').pluck(),
    countServices: db.prepare('select count(*) from service_list where project_no = ?').pluck(),
    addServices: db.prepare('insert into service_list (project_no, services) values (?, ?) returning service_list_no').pluck(),
    // Left to itself, SQLite walks all of the project's rows for each trace.
    clearSessions: db.prepare(
      'delete from session_trace indexed by session_trace_by_trace where project_no = ? and trace_hash = ?',
    ),
    addSession: db.prepare(`
      insert into session_trace (project_no, session_no, trace_hash, trace_id, received_ms, decided_ms, agent, user, spans, turns,
                                 tool_calls, input_tokens, output_tokens, cost_usd, failures, start_ms, end_ms, operation_no)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do update set spans = spans + excluded.spans, turns = turns + excluded.turns,
        tool_calls = tool_calls + excluded.tool_calls, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, failures = failures + excluded.failures,
        start_ms = min(start_ms, excluded.start_ms), end_ms = max(end_ms, excluded.end_ms)`),
  }
}
