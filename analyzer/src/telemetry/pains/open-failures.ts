import { createHash } from 'node:crypto'
import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { createFindFingerprint, type SchemedKey } from '@loopkit/shared/database/telemetry/fingerprint-aliases'
import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { createTraceDecisions } from '@loopkit/shared/database/telemetry/trace-decisions'
import { toHex } from '@loopkit/shared/otlp/ids'
import { ruleAttributes } from '@loopkit/shared/signals/fingerprint-rules'
import { createJudgeMemory, type JudgeMemory } from '@loopkit/shared/signals/judge-memory'
import type { Failure, JudgedTrace } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { PainView } from '../../domain/pain-view.ts'
import { type MinuteWindow, windowBoundsMs } from '../../domain/window.ts'
import { memoryOf } from '../read-memory.ts'
import { eachTraceOf } from '../records/each-trace.ts'
import { eventMsOf, spanNumber, traceIdText, wholeTraceFilter } from '../records/judge-span.ts'
import { judgeWhole } from '../records/judge-whole.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** Open traces that one question judges, the newest first (write-path §5); the rest is counted and named. */
export const OPEN_TRACES_JUDGED_MAX = 500
/** Those among them in which nothing failed by itself: most are healthy. */
const SOFT_TRACES_JUDGED_MAX = 100
/** Spans after which no further open trace is judged. */
const SPANS_JUDGED_MAX = 200_000
/** Traces that are read together at first; so many more each time, as long as they hold fewer spans than this. */
const READ_AT_ONCE_MIN = 50
const SPANS_SMALL = 8_000
/** Some thousand traces with one failure each. */
const OPEN_TRACES = memoryOf<JudgedOpenTrace>('open traces', 6)
/** Texts of the project that was asked about last. */
const JUDGING = memoryOf<JudgeMemory>('judging')
const KNOWN_AS = memoryOf<(fingerprint: SchemedKey) => string>('known fingerprints')
/** What a failure takes in memory beside its texts: ids, names, a list of services. */
const FAILURE_BYTES = 1_200

/** A failure of a trace that is not yet decided, judged by the rules that will decide it. */
export interface OpenFailure {
  fingerprint: string
  parentKey: string
  failure: ShownFailure
  traceHash: bigint
  traceId: string
  recordId: string
  receivedMs: number
  eventMs: number
  user: string | null
  /** Names as rows hold them, so that they meet the counts. */
  service: string
  operation: string
  release: string | null
  /** Services that the error passed through. */
  services: string[]
  /** Its error reached the root of the trace. */
  hasEnded: boolean
}

/** What is asked of a failure once it is judged; the spans themselves are let go. */
export interface ShownFailure extends Pick<Failure, 'detection' | 'fingerprint' | 'sessionId'> {
  span: Pick<Failure['span'], 'traceId' | 'spanId'>
}

export interface OpenFailures {
  /** The latest first, then by record, in whatever order they came. */
  failures: OpenFailure[]
  /** Traces with failing spans that were not looked at. */
  notJudged: number
}

interface OpenRow {
  trace_hash: bigint
  trace_id: Uint8Array
  last_commit: bigint
  decided_before: bigint
}

export interface OpenQuestion {
  projectNo: number
  projectId: string
  window: MinuteWindow
  off: ReadonlySet<SignalType>
  view: Pick<PainView, 'rules'>
}

/** All failures of an open trace as of its last commit, whatever the window. */
export interface JudgedOpenTrace {
  spans: number
  failures: OpenFailure[]
}

/**
 * Judges the newest open traces of the window, read-only. A failure that an earlier decision has counted is left out. A trace to which
 * nothing was added since is not judged again: its commits say all of it.
 */
export function judgeOpenTraces(connection: TelemetryConnection, question: OpenQuestion): OpenFailures {
  const { rows, total } = openRows(connection, question)
  const { fromMs, toMs } = windowBoundsMs(question.window)
  const failures: OpenFailure[] = []
  let judged = 0
  let spans = 0
  for (const trace of judgedInTurn(connection, question, rows)) {
    if (spans >= SPANS_JUDGED_MAX) break
    spans += trace.spans
    judged += 1
    for (const failure of trace.failures) if (failure.receivedMs >= fromMs && failure.receivedMs < toMs) failures.push(failure)
  }
  failures.sort((a, b) => b.eventMs - a.eventMs || (a.recordId < b.recordId ? -1 : 1))
  return { failures, notJudged: Math.max(0, total - judged) }
}

/** In the order of the rows. Those that are not remembered are read some at a time: more, where they turn out to be small. */
function* judgedInTurn(
  connection: TelemetryConnection,
  question: OpenQuestion,
  rows: readonly OpenRow[],
): Generator<JudgedOpenTrace> {
  const remember = createMemory(connection, question)
  let most = READ_AT_ONCE_MIN
  for (let at = 0; at < rows.length; ) {
    const judged = new Map<OpenRow, JudgedOpenTrace>()
    const missing: OpenRow[] = []
    const from = at
    for (; at < rows.length && missing.length < most; at++) {
      const known = remember.recall(rows[at]!)
      if (known) judged.set(rows[at]!, known)
      else missing.push(rows[at]!)
    }
    let spans = 0
    for (const [row, trace] of judgeRows(connection, question, { rows: missing, atOnce: most })) {
      remember.keep(row, trace)
      judged.set(row, trace)
      spans += trace.spans
    }
    if (spans < SPANS_SMALL) most *= 2
    for (const row of rows.slice(from, at)) {
      const trace = judged.get(row)
      if (trace) yield trace
    }
  }
}

function* judgeRows(
  connection: TelemetryConnection,
  question: OpenQuestion,
  { rows, atOnce }: { rows: readonly OpenRow[]; atOnce: number },
): Generator<[OpenRow, JudgedOpenTrace]> {
  const byTrace = new Map(rows.map((row) => [toHex(row.trace_id), row]))
  const filter = wholeTraceFilter(ruleAttributes(question.view.rules))
  const traceIds = rows.map(({ trace_id }) => trace_id)
  for (const { traceId, stored } of eachTraceOf(connection, question.projectNo, traceIds, { filter, atOnce })) {
    const row = byTrace.get(traceId)!
    yield [row, { spans: stored.length, failures: failuresOfTrace(connection, question, { row, stored }) }]
  }
}

/** By all that a judgement follows from. What an earlier decision counts may change without a commit, so such a trace is always judged. */
function createMemory({ memory }: TelemetryConnection, { projectNo, off, view }: OpenQuestion) {
  const rules = createHash('sha256')
    .update(JSON.stringify([[...off], view.rules]))
    .digest('base64')
  const keyOf = ({ trace_hash, last_commit }: OpenRow) => `${projectNo} ${trace_hash} ${last_commit} ${rules}`
  return {
    recall: (row: OpenRow) => (row.decided_before === 0n ? memory.take(OPEN_TRACES).recall(keyOf(row)) : undefined),
    keep: (row: OpenRow, trace: JudgedOpenTrace) => {
      if (row.decided_before === 0n) memory.take(OPEN_TRACES).keep(keyOf(row), trace, bytesOf(trace))
    },
  }
}

function bytesOf({ failures }: JudgedOpenTrace): number {
  return failures.reduce((sum, { failure: { detection, fingerprint } }) => {
    const texts = (detection.message?.length ?? 0) + (detection.stack?.length ?? 0) + fingerprint.template.length
    return sum + FAILURE_BYTES + 2 * texts + fingerprint.steps.reduce((chars, { value }) => chars + 2 * value.length, 0)
  }, 0)
}

/** Traces with failing spans first; those with agents' steps may hold what only a whole trace shows. */
function openRows({ db }: TelemetryConnection, { projectNo, window }: OpenQuestion): { rows: OpenRow[]; total: number } {
  const { fromMs } = windowBoundsMs(window)
  const read = (what: string, limit: number) =>
    db
      .prepare(
        `select trace_hash, trace_id, last_commit, decided_before from open_trace where project_no = ? and ${what} and last_received_ms >= ?
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
  { projectId, projectNo, off, view }: OpenQuestion,
  { row, stored }: { row: OpenRow; stored: StoredSpan[] },
): OpenFailure[] {
  const arrivalOf = new Map(stored.map(({ ctx, receivedMs }) => [ctx.span, receivedMs]))
  const memory = connection.memory.only(JUDGING, projectId, () => createJudgeMemory(projectId))
  const judged = judgeWhole(connection, { projectId, off, isOver: false, rules: view.rules, memory }, stored)
  const knownAs = connection.memory.only(KNOWN_AS, projectNo, () => createKnownAs(connection.db, projectNo))
  const counted = row.decided_before === 0n ? () => false : countedBefore(connection.db, projectNo, row.trace_hash)
  return judged.failures
    .filter((failure) => !counted(failure))
    .map((failure) => {
      const arrival = { traceHash: row.trace_hash, receivedMs: arrivalOf.get(failure.span) ?? 0 }
      return { ...toOpenFailure(failure, judged, arrival), fingerprint: knownAs(failure.fingerprint) }
    })
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

/** The key that its decision will count it under: under a new scheme that of the pain it had. */
function createKnownAs(db: SqliteDatabase, projectNo: number): (fingerprint: SchemedKey) => string {
  const find = createFindFingerprint(db)
  const keyOf = db.prepare('select fingerprint from fingerprint where fingerprint_no = ?').pluck()
  return (fingerprint) => {
    const known = find(projectNo, fingerprint)
    const key = known === null ? undefined : (keyOf.get(known.fingerprintNo) as Uint8Array | undefined)
    return toHex(key ?? fingerprint.key)
  }
}

function toOpenFailure(
  failure: Failure,
  judged: JudgedTrace,
  { traceHash, receivedMs }: { traceHash: bigint; receivedMs: number },
): OpenFailure {
  const { span, view, detection, fingerprint, sessionId, propagatedTo } = failure
  const part = judged.sessions.find((session) => session.sessionId === sessionId)
  // Copies: a view of the segment's bytes would keep all of them.
  const ids = { traceId: Uint8Array.from(span.traceId), spanId: Uint8Array.from(span.spanId) }
  return {
    fingerprint: toHex(fingerprint.key),
    parentKey: toHex(fingerprint.parentKey),
    failure: { span: ids, detection, fingerprint, sessionId },
    traceHash,
    traceId: traceIdText(span),
    recordId: encodeRecordId(span.traceId, span.spanId),
    receivedMs,
    eventMs: eventMsOf(span) || receivedMs,
    user: view.user ?? part?.user ?? null,
    services: [...new Set([view.service, ...propagatedTo.map((ancestor) => ancestor.view.service)])].map(toIndexText),
    service: toIndexText(view.service),
    operation: toIndexText(view.operation),
    release: view.release === null ? null : toIndexText(view.release),
    hasEnded: failure.endedTrace,
  }
}
