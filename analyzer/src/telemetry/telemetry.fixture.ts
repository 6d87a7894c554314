import { readModels } from '@loopkit/config/read-models'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { readTraces } from '@loopkit/shared/database/telemetry/read-trace'
import { createTraceDecisions, packDecidedHashes } from '@loopkit/shared/database/telemetry/trace-decisions'
import { createTraceHasher, TRACE_HASH_KEY, type TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import { encodeTraces } from '@loopkit/shared/otlp/encode-traces'
import { ORIGINAL_SPAN_ID, ORIGINAL_TRACE_ID, parseSpanId, parseTraceId, toHex } from '@loopkit/shared/otlp/ids'
import type { OtlpResource, OtlpScope, OtlpValue, SpanInContext } from '@loopkit/shared/otlp/model'
import { encodeCommits } from '@loopkit/shared/segment/header'
import { packSegment } from '@loopkit/shared/segment/pack-segment'
import { packTraceHashes } from '@loopkit/shared/segment/trace-hashes'
import { NO_RULES, type ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'
import type { Failure, SessionPart } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { DEFAULT_SOFT_THRESHOLDS } from '@loopkit/shared/signals/soft/thresholds'
import { nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { createCostOf } from '@loopkit/shared/span/price-call'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { eventMsOf, spanNumber, toTraceSpan } from './records/judge-span.ts'
import { judgeWhole } from './records/judge-whole.ts'

/** A span in a test's words; whatever it leaves out is ordinary. */
export interface SpanDraft {
  trace: string
  span: string
  parent?: string
  name?: string
  service?: string
  kind?: number
  /** Milliseconds since the epoch. */
  startMs?: number
  /** null: it has not ended. */
  durationMs?: number | null
  error?: string
  attributes?: Record<string, OtlpValue>
  resource?: Record<string, OtlpValue>
  exception?: { type: string; message: string; stacktrace?: string }
}

const scope: OtlpScope = { name: 'test', version: '1', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
const resources = new Map<string, OtlpResource>()

function resourceOf(attributes: Record<string, OtlpValue>): OtlpResource {
  const name = JSON.stringify(attributes)
  const known = resources.get(name) ?? {
    attributes: new Map(Object.entries(attributes)),
    droppedAttributesCount: 0,
    schemaUrl: '',
  }
  resources.set(name, known)
  return known
}

export function draftSpan(draft: SpanDraft): SpanInContext {
  const { trace, span, parent, service = 'shop', startMs = 1_781_856_000_000, durationMs = 5, error, exception } = draft
  const traceId = parseTraceId(trace)!
  const spanId = parseSpanId(span)!
  const attributes = new Map<string, OtlpValue>(Object.entries(draft.attributes ?? {}))
  if (traceId.original !== null) attributes.set(ORIGINAL_TRACE_ID, traceId.original)
  if (spanId.original !== null) attributes.set(ORIGINAL_SPAN_ID, spanId.original)
  const startUnixNano = BigInt(startMs) * 1_000_000n
  const events = exception
    ? [{ timeUnixNano: startUnixNano, name: 'exception', droppedAttributesCount: 0, attributes: exceptionAttributes(exception) }]
    : []
  return {
    resource: resourceOf({ 'service.name': service, ...draft.resource }),
    scope,
    span: {
      traceId: traceId.bytes,
      spanId: spanId.bytes,
      parentSpanId: parent === undefined ? null : parseSpanId(parent)!.bytes,
      traceState: '',
      flags: 0,
      name: draft.name ?? 'work',
      kind: draft.kind ?? 1,
      startUnixNano,
      endUnixNano: durationMs === null ? 0n : startUnixNano + BigInt(durationMs) * 1_000_000n,
      attributes,
      droppedAttributesCount: 0,
      events,
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: error === undefined ? { code: 0, message: '' } : { code: 2, message: error },
    },
  }
}

function exceptionAttributes({ type, message, stacktrace }: NonNullable<SpanDraft['exception']>): Map<string, OtlpValue> {
  return new Map<string, OtlpValue>([
    ['exception.type', type],
    ['exception.message', message],
    ...(stacktrace === undefined ? [] : ([['exception.stacktrace', stacktrace]] as [string, OtlpValue][])),
  ])
}

/** Writes telemetry.db as the collector does, as far as reads can tell: commits, open rows, decisions. */
export interface TelemetryFixture {
  db: SqliteDatabase
  /** One commit. */
  send(projectNo: number, receivedMs: number, drafts: readonly SpanDraft[]): void
  /** Decides every open trace of the project. */
  decide(projectNo: number, projectId: string, decidedMs: number, rules?: ProjectRules): void
  close(): void
}

const KEY = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])

export function createTelemetryFixture(path: string): TelemetryFixture {
  const db = openDatabase(path, { role: 'writer' })
  migrate(db, telemetryMigrations)
  db.prepare('insert or ignore into meta (name, value) values (?, ?)').run(TRACE_HASH_KEY, KEY)
  const hasher = createTraceHasher(KEY)
  return {
    db,
    send: (projectNo, receivedMs, drafts) =>
      db.transaction(() => writeCommit(db, hasher, { projectNo, receivedMs, spans: drafts.map(draftSpan) }))(),
    decide: (projectNo, projectId, decidedMs, rules = NO_RULES) =>
      db.transaction(() => writeDecision(db, hasher, { projectNo, projectId, decidedMs, rules }))(),
    close: () => void db.close(),
  }
}

interface Commit {
  projectNo: number
  receivedMs: number
  spans: SpanInContext[]
}

function writeCommit(db: SqliteDatabase, hasher: TraceHasher, { projectNo, receivedMs, spans }: Commit): void {
  const number = (db.prepare('select coalesce(max(last_commit), 0) + 1 from segment').pluck().get() as number) ?? 1
  const body = encodeTraces(spans)
  const events = spans.map(({ span }) => eventMsOf(span))
  const [eventMinMs, eventMaxMs] = [Math.min(...events), Math.max(...events)]
  const hashes = spans.map(({ span }) => hasher(projectNo, span.traceId))
  db.prepare(
    `insert into segment (project_no, kind, first_commit, last_commit, commits, records, received_min_ms, received_max_ms,
       event_min_ms, event_max_ms, trace_hashes, body, body_bytes) values (?, 'span', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    projectNo,
    number,
    number,
    encodeCommits([{ number, receivedMs, records: spans.length, accepted: spans.length, eventMinMs, eventMaxMs }]),
    spans.length,
    receivedMs,
    receivedMs,
    eventMinMs,
    eventMaxMs,
    packTraceHashes(hashes),
    packSegment([body]),
    body.length,
  )
  for (const ctx of spans) writeRun(db, { projectNo, receivedMs, ctx })
  for (const ctx of spans) writeOpen(db, hasher, { projectNo, receivedMs, ctx, number })
}

function writeRun(
  db: SqliteDatabase,
  { projectNo, receivedMs, ctx }: { projectNo: number; receivedMs: number; ctx: SpanInContext },
) {
  const { service, operation, release } = viewSpan(ctx)
  const receivedMinute = Math.floor(receivedMs / 60_000)
  const eventMinute = Math.floor(eventMsOf(ctx.span) / 60_000)
  db.prepare(
    `insert into run_count values (?, ?, ?, ?, ?, 1, 1, 1) on conflict do update set runs = runs + 1, weight = weight + 1,
       weight_squared = weight_squared + 1`,
  ).run(
    projectNo,
    receivedMinute,
    eventMinute,
    operationNo(db, projectNo, { service, operation }),
    releaseNo(db, projectNo, { service, release, receivedMs }),
  )
}

function operationNo(
  db: SqliteDatabase,
  projectNo: number,
  { service, operation }: { service: string; operation: string },
): number {
  db.prepare('insert or ignore into operation (project_no, service, operation) values (?, ?, ?)').run(
    projectNo,
    service,
    operation,
  )
  const find = db.prepare('select operation_no from operation where project_no = ? and service = ? and operation = ?').pluck()
  return find.get(projectNo, service, operation) as number
}

function releaseNo(
  db: SqliteDatabase,
  projectNo: number,
  { service, release, receivedMs }: { service: string; release: string | null; receivedMs: number },
): number {
  if (release === null) return 0
  const add = 'insert or ignore into release (project_no, service, release, first_seen_ms) values (?, ?, ?, ?)'
  db.prepare(add).run(projectNo, service, release, receivedMs)
  const find = db.prepare('select release_no from release where project_no = ? and service = ? and release = ?').pluck()
  return find.get(projectNo, service, release) as number
}

function writeOpen(
  db: SqliteDatabase,
  hasher: TraceHasher,
  { projectNo, receivedMs, ctx, number }: { projectNo: number; receivedMs: number; ctx: SpanInContext; number: number },
): void {
  const { view, detection, span } = toTraceSpan(ctx, new Set())
  const hash = BigInt.asIntN(64, hasher(projectNo, span.traceId))
  if (view.session !== null) {
    const sessionNo = findSession(db, projectNo, { sessionId: view.session, explicit: true, atMs: receivedMs })
    db.prepare(
      `insert or ignore into session_trace (project_no, session_no, trace_hash, trace_id, received_ms, spans, turns, tool_calls,
         input_tokens, output_tokens, failures, start_ms, end_ms) values (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0)`,
    ).run(projectNo, sessionNo, hash, span.traceId, receivedMs)
  }
  const isOpen = detection !== null || span.endUnixNano === 0n || view.session !== null
  const agentStep = view.agent !== null || view.tool !== null || view.kind === 'chat'
  if (!isOpen && !agentStep) return
  const before = createTraceDecisions(db)(projectNo, hash).length > 0
  const failing = detection === null ? 0 : 1
  const moved = db
    .prepare(
      `update open_trace set last_received_ms = ?, last_commit = ?, failing = failing + ?, agent_steps = agent_steps + ?
       where project_no = ? and trace_hash = ?`,
    )
    .run(receivedMs, number, failing, agentStep ? 1 : 0, projectNo, hash)
  if (moved.changes > 0) return
  db.prepare('insert into open_trace values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    projectNo,
    hash,
    span.traceId,
    receivedMs,
    receivedMs,
    number,
    failing,
    span.endUnixNano === 0n ? 1 : 0,
    agentStep ? 1 : 0,
    before ? 1 : 0,
  )
}

function findSession(
  db: SqliteDatabase,
  projectNo: number,
  { sessionId, explicit, atMs }: { sessionId: string; explicit: boolean; atMs: number },
): number {
  const add = 'insert or ignore into session (project_no, session_id, explicit, first_seen_ms) values (?, ?, ?, ?)'
  db.prepare(add).run(projectNo, sessionId, explicit ? 1 : 0, atMs)
  const find = db.prepare('select session_no from session where project_no = ? and session_id = ?').pluck()
  return find.get(projectNo, sessionId) as number
}

interface Decision {
  projectNo: number
  projectId: string
  decidedMs: number
  rules: ProjectRules
}

function writeDecision(db: SqliteDatabase, hasher: TraceHasher, decision: Decision): void {
  const { projectNo, projectId, decidedMs, rules } = decision
  const open = db
    .prepare('select trace_hash, trace_id, last_received_ms from open_trace where project_no = ?')
    .safeIntegers()
    .all(projectNo) as { trace_hash: bigint; trace_id: Uint8Array; last_received_ms: bigint }[]
  const decisionNo = db.prepare('select coalesce(max(decision_no), 0) + 1 from decision').pluck().get() as number
  const failureNo = db.prepare('select coalesce(max(last_failure_no), 0) + 1 from decision').pluck().get() as number
  const hashes = packDecidedHashes(open.map(({ trace_hash }) => trace_hash))
  db.prepare('insert into decision values (?, ?, ?, ?, ?, ?)').run(
    decisionNo,
    projectNo,
    decidedMs,
    open.length,
    failureNo,
    failureNo - 1,
  )
  db.prepare('insert into unfolded_decision values (?, ?, ?)').run(projectNo, decisionNo, hashes)
  const stored = readTraces(
    db,
    hasher,
    projectNo,
    open.map(({ trace_id }) => trace_id),
  )
  for (const { trace_hash, trace_id, last_received_ms } of open) {
    const judgement = { projectId, off: new Set<SignalType>(), isOver: false, rules }
    const { failures, sessions } = judgeWhole(
      { thresholds: DEFAULT_SOFT_THRESHOLDS, costOf: createCostOf(readModels(null)) },
      judgement,
      stored.get(toHex(trace_id)) ?? [],
    )
    const trace = { hash: trace_hash, id: trace_id, decisionNo, receivedMs: Number(last_received_ms) }
    const isLone = sessions.length === 1 && sessions.every(standsForItself)
    const named = new Set(sessions.filter(({ explicit }) => explicit).map(({ sessionId }) => sessionId))
    for (const failure of failures) writeFailure(db, decision, { failure, trace, isNamed: named.has(failure.sessionId) })
    if (!isLone) for (const part of sessions) writeSession(db, decision, { part, trace })
  }
  db.prepare('delete from open_trace where project_no = ?').run(projectNo)
}

/** As the collector has it: its failures say all that a row of its own would. */
function standsForItself({ explicit, agent, user, turns, toolCalls }: SessionPart): boolean {
  return !explicit && agent === null && user === null && turns + toolCalls === 0
}

interface DecidedTrace {
  hash: bigint
  id: Uint8Array
  decisionNo: number
  receivedMs: number
}

function writeFailure(
  db: SqliteDatabase,
  { projectNo, decidedMs }: Decision,
  { failure, trace, isNamed }: { failure: Failure; trace: DecidedTrace; isNamed: boolean },
): void {
  const { span, view, fingerprint, detection, sessionId, propagatedTo } = failure
  const eventMs = eventMsOf(span)
  const operation = operationNo(db, projectNo, view)
  db.prepare(
    `insert or ignore into fingerprint (project_no, fingerprint, parent_key, scheme, signal, service, operation, operation_no, error_type,
       template, sample_message, steps, first_seen_ms) values (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    projectNo,
    fingerprint.key,
    fingerprint.parentKey,
    detection.signal,
    view.service,
    view.operation,
    operation,
    detection.errorType,
    fingerprint.template,
    detection.message,
    JSON.stringify(fingerprint.steps),
    decidedMs,
  )
  const find = db.prepare('select fingerprint_no from fingerprint where project_no = ? and fingerprint = ?').pluck()
  const fingerprintNo = find.get(projectNo, fingerprint.key) as number
  const release = releaseNo(db, projectNo, { service: view.service, release: view.release, receivedMs: trace.receivedMs })
  const services = JSON.stringify([...new Set(propagatedTo.map((ancestor) => ancestor.view.service))])
  const sessionNo = isNamed ? findSession(db, projectNo, { sessionId, explicit: true, atMs: trace.receivedMs }) : 0
  const spanNo = spanNumber(span.spanId)
  const known = 'select 1 from failure where project_no = ? and trace_hash = ? and span_id = ? and fingerprint_no = ?'
  if (db.prepare(known).get(projectNo, trace.hash, spanNo, fingerprintNo)) return
  const last = db.prepare(
    'update decision set last_failure_no = last_failure_no + 1 where decision_no = ? returning last_failure_no',
  )
  db.prepare('insert into decided_failure values (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?)').run(
    last.pluck().get(trace.decisionNo),
    fingerprintNo,
    trace.hash,
    trace.id,
    spanNo,
    sessionNo,
    release,
    eventMs,
    decidedMs - trace.receivedMs,
    services,
    failure.endedTrace ? 1 : 0,
  )
  db.prepare(
    'insert into failure_count values (?, ?, ?, ?, ?, 1, 1, 1) on conflict do update set failures = failures + 1, weight = weight + 1, weight_squared = weight_squared + 1',
  ).run(projectNo, Math.floor(decidedMs / 60_000), Math.floor(eventMs / 60_000), fingerprintNo, release)
}

function writeSession(
  db: SqliteDatabase,
  { projectNo, decidedMs }: Decision,
  { part, trace }: { part: SessionPart; trace: DecidedTrace },
): void {
  const sessionNo = findSession(db, projectNo, { sessionId: part.sessionId, explicit: part.explicit, atMs: trace.receivedMs })
  db.prepare(
    `insert or replace into session_trace (project_no, session_no, trace_hash, trace_id, received_ms, decided_ms, agent, user, spans, turns,
       tool_calls, input_tokens, output_tokens, cost_usd, failures, start_ms, end_ms)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    projectNo,
    sessionNo,
    trace.hash,
    trace.id,
    trace.receivedMs,
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
    nanoToMs(part.startUnixNano),
    nanoToMs(part.endUnixNano),
  )
}
