import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { readTraceHashKey } from '@loopkit/shared/database/telemetry/open-telemetry'
import { codecOf, type RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { createTraceHasher, type TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import { HOUR_MS, MEASURES, packDeltas } from '@loopkit/shared/rollup/sketch-delta'
import { encodeCommits } from '@loopkit/shared/segment/header'
import { addCount, type LedgerCounts } from '../admit/ledger.ts'
import { isTraceCount } from '../admit/trace-counts.ts'
import type { Dictionary } from './dictionary.ts'
import type { SpanIndex, TraceReasons } from './index-spans.ts'
import type { BodyToCommit, CommitGroup } from './messages.ts'
import type { OpenTraces } from './open-traces.ts'
import { createTraceCountWriter, type TraceCountWriter } from './write-trace-counts.ts'
import type { WriteTurn } from './write-turn.ts'

/** One project's share of a group: its spans, or its log records. `positions` are those of its bodies in the group. */
export interface ProjectCommit {
  projectNo: number
  recordKind: RecordKind
  positions: number[]
  index: SpanIndex
  redacted: number
}

export interface PackedProject extends ProjectCommit {
  bodies: BodyToCommit[]
  segment: Uint8Array
  bodyBytes: number
  traceHashes: Uint8Array
  /** Sorted, each once. */
  traces: BigUint64Array
  spans: number
  newSpans: number
}

export interface CommitTimes {
  commit: number
  receivedMs: number
}

export interface RowWriter {
  /** One transaction: everything the group stores, or nothing. Answers how many ms its COMMIT took. */
  write(times: CommitTimes, projects: readonly PackedProject[], group: CommitGroup): number
}

const MINUTE_MS = 60_000

export function createRowWriter(
  db: SqliteDatabase,
  dictionary: Dictionary,
  openTraces: OpenTraces,
  turn: WriteTurn,
  monotonicMs: () => number,
): RowWriter {
  const hasher = createTraceHasher(readTraceHashKey(db)!)
  const statements = prepareStatements(db)
  const traceCounts = createTraceCountWriter(db)

  function writeAll(times: CommitTimes, projects: readonly PackedProject[], group: CommitGroup): void {
    for (const project of projects) {
      writeSegment(statements, times, project)
      writeRuns(statements, dictionary, times, project)
      writeLatencies(statements, dictionary, times, project)
      writeTraces(statements, dictionary, hasher, openTraces, times, project)
      if (project.newSpans > 0 && project.recordKind === 'span') statements.accepted.run(project.projectNo, project.newSpans)
    }
    writeLedger(statements, traceCounts, times, projects, group.ledger)
    traceCounts.trim()
    for (const [keyHash, atMs] of group.keyUses) statements.keyUse.run(keyHash, atMs)
  }

  return {
    write(times, projects, group) {
      return turn(() => {
        statements.begin.run()
        try {
          dictionary.refresh()
          writeAll(times, projects, group)
          const startMs = monotonicMs()
          statements.commit.run()
          return monotonicMs() - startMs
        } catch (error) {
          dictionary.forget()
          traceCounts.forget()
          if (db.inTransaction) db.exec('rollback')
          throw error
        }
      })
    },
  }
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements(db: SqliteDatabase) {
  return {
    begin: db.prepare('begin immediate'),
    commit: db.prepare('commit'),
    segment: db.prepare(`
      insert into segment (project_no, kind, first_commit, last_commit, commits, records, received_min_ms, received_max_ms,
                           event_min_ms, event_max_ms, trace_hashes, body, body_bytes)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    run: db.prepare(`
      insert into run_count (project_no, received_minute, event_minute, operation_no, release_no, runs, weight, weight_squared)
      values (?, ?, ?, ?, ?, ?, ?, ?)
      on conflict do update set runs = runs + excluded.runs, weight = weight + excluded.weight,
        weight_squared = weight_squared + excluded.weight_squared`),
    sketchDelta: db.prepare('insert into sketch_delta (project_no, received_hour, deltas) values (?, ?, ?)'),
    sessionTrace: db.prepare(`
      insert into session_trace (project_no, session_no, trace_hash, trace_id, received_ms, spans, turns, tool_calls,
                                 input_tokens, output_tokens, failures, start_ms, end_ms)
      values (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0)
      on conflict do update set received_ms = excluded.received_ms`),
    accepted: db.prepare(
      'insert into accepted (project_no, spans) values (?, ?) on conflict do update set spans = spans + excluded.spans',
    ),
    ledger: db.prepare(`
      insert into ledger (project_no, minute, what, count) values (?, ?, ?, ?)
      on conflict do update set count = count + excluded.count`),
    keyUse: db.prepare(
      'insert into key_use (key_hash, last_used_ms) values (?, ?) on conflict do update set last_used_ms = excluded.last_used_ms',
    ),
  }
}

function writeSegment({ segment }: Statements, { commit, receivedMs }: CommitTimes, project: PackedProject): void {
  const { eventMinMs, eventMaxMs } = project.index
  const header = encodeCommits([
    { number: commit, receivedMs, records: project.spans, accepted: project.newSpans, eventMinMs, eventMaxMs },
  ])
  segment.run(
    project.projectNo,
    project.recordKind,
    commit,
    commit,
    header,
    project.newSpans,
    receivedMs,
    receivedMs,
    eventMinMs,
    eventMaxMs,
    project.traceHashes,
    project.segment,
    project.bodyBytes,
  )
}

function writeRuns({ run }: Statements, dictionary: Dictionary, { receivedMs }: CommitTimes, project: PackedProject): void {
  const { projectNo, index } = project
  const receivedMinute = Math.floor(receivedMs / MINUTE_MS)
  for (const { service, operation, release, eventMinute, runs, weight, weightSquared } of index.runs) {
    run.run(
      projectNo,
      receivedMinute,
      eventMinute ?? receivedMinute,
      dictionary.operationNo(projectNo, service, operation),
      dictionary.releaseNo(projectNo, service, release, receivedMs),
      runs,
      weight,
      weightSquared,
    )
  }
}

/** One row for all operations: the background thread adds it to each. */
function writeLatencies({ sketchDelta }: Statements, dictionary: Dictionary, times: CommitTimes, project: PackedProject): void {
  const { projectNo, index } = project
  if (index.latencies.length === 0) return
  const deltas = index.latencies.map(({ runKey, hour, bins, exemplars }) => ({
    ...{ measure: MEASURES.latency, hour, added: bins, takenBack: [], exemplars },
    operationNo: dictionary.operationNo(projectNo, runKey.service, runKey.operation),
  }))
  sketchDelta.run(projectNo, Math.floor(times.receivedMs / HOUR_MS), packDeltas(deltas))
}

function writeTraces(
  { sessionTrace }: Statements,
  dictionary: Dictionary,
  hasher: TraceHasher,
  openTraces: OpenTraces,
  times: CommitTimes,
  { projectNo, index, traces, bodies }: PackedProject,
): void {
  const reasonsByHash = new Map<bigint, TraceReasons>()
  for (const reasons of index.traces.values()) {
    const hash = hasher(projectNo, reasons.traceId)
    reasonsByHash.set(hash, reasons)
    for (const sessionId of reasons.sessions) {
      const sessionNo = dictionary.sessionNo(projectNo, sessionId, true, times.receivedMs)
      sessionTrace.run(projectNo, sessionNo, BigInt.asIntN(64, hash), reasons.traceId, times.receivedMs)
    }
  }
  const words = new Uint32Array(traces.buffer, traces.byteOffset, traces.length * 2)
  const traceIdOf = (hash: bigint) => findTraceId(bodies, (traceId) => hasher(projectNo, traceId) === hash)
  for (let i = 0; i < traces.length; i++) {
    const reasons = reasonsByHash.size > 0 ? (reasonsByHash.get(traces[i]!) ?? null) : null
    openTraces.touch(projectNo, words[i * 2]!, words[i * 2 + 1]!, reasons, times, traceIdOf)
  }
}

/** A walk over the bodies: for the rare late span of a trace that is decided. */
function findTraceId(bodies: readonly BodyToCommit[], isWanted: (traceId: Uint8Array) => boolean): Uint8Array | undefined {
  for (const { body, recordKind } of bodies) {
    const { count, traceIdAt } = codecOf(recordKind).scan(body)
    for (let i = 0; i < count; i++) {
      const traceId = body.subarray(traceIdAt[i]!, traceIdAt[i]! + 16)
      if (isWanted(traceId)) return new Uint8Array(traceId)
    }
  }
  return undefined
}

/** Counts of the commit's own spans ride with it; those of requests that stored nothing come with the group. */
function writeLedger(
  { ledger }: Statements,
  traceCounts: TraceCountWriter,
  { receivedMs }: CommitTimes,
  projects: readonly PackedProject[],
  waiting: CommitGroup['ledger'],
): void {
  const minute = Math.floor(receivedMs / MINUTE_MS)
  const write = (projectNo: number, what: string, count: number) => {
    if (isTraceCount(what)) traceCounts.add(projectNo, what, count, receivedMs)
    else ledger.run(projectNo, minute, what, count)
  }
  for (const { projectNo, recordKind, bodies, newSpans, redacted } of projects) {
    const counts: LedgerCounts = new Map()
    addCount(counts, recordKind === 'span' ? 'accepted' : 'kept:logs', newSpans)
    addCount(counts, 'redacted', redacted)
    for (const body of bodies) for (const [what, count] of body.ledger) addCount(counts, what, count)
    for (const [what, count] of counts) write(projectNo, what, count)
  }
  for (const [projectNo, what, count] of waiting) write(projectNo, what, count)
}
