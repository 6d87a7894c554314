import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { titleOf } from '@loopkit/shared/signals/title'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { painIdOf } from '../domain/opaque-id.ts'
import type { PainFacts } from '../domain/pain-facts.ts'
import { rankPains } from '../domain/weigh-pain.ts'
import type { SeenPain } from './questions.ts'
import type { TelemetryConnection } from './telemetry-file.ts'
import { countRuns, type RunCounts } from './window-counts.ts'

export interface ObservedQuestion {
  projectNo: number
  projectId: string
  /** Decisions up to this one were claimed before. */
  afterDecision: number
}

/** A pain with failures that nobody has claimed yet. */
export interface ObservedPain {
  seen: SeenPain
  facts: PainFacts
  /** No failure of it was ever decided before. */
  isFirst: boolean
  evidenceIds: string[]
}

export interface ObservedAnswer {
  /** The last decision there is: the claim reaches up to it. */
  toDecision: number
  /** Heaviest first. */
  pains: ObservedPain[]
}

/** Pains of one answer; an agent that was away for long gets the heaviest. */
const PAINS_MAX = 2000
const EVIDENCE_MAX = 5
const MINUTE_MS = 60_000

/** Pains whose failures were decided after what was claimed. Undecided failures are nobody's yet: they come with their decision. */
export function answerObserved(
  { db }: TelemetryConnection,
  { projectNo, projectId, afterDecision }: ObservedQuestion,
): ObservedAnswer {
  const toDecision = lastDecision(db, projectNo)
  const rows = readNew(db, { projectNo, afterDecision, toDecision })
  const fromMs = rows.reduce((least, row) => Math.min(least, row.decided_ms), Number.POSITIVE_INFINITY)
  const toMinute = Math.floor(rows.reduce((most, row) => Math.max(most, row.last_ms, row.decided_ms), 0) / MINUTE_MS) + 1
  const runs = rows.length === 0 ? null : countRuns(db, projectNo, { fromMinute: Math.floor(fromMs / MINUTE_MS), toMinute })
  const named = new Map(rows.map((row) => [row.fingerprint.toString('hex'), row]))
  const ranked = rankPains(rows.map((row) => toFacts(row, runs!)))
  return {
    toDecision,
    pains: ranked.slice(0, PAINS_MAX).map((facts) => {
      const row = named.get(facts.fingerprint)!
      return {
        seen: toSeen(row, facts, projectId),
        facts,
        isFirst: row.earlier === 0,
        evidenceIds: readEvidence(db, { projectNo, afterDecision, toDecision }, row.fingerprint_no),
      }
    }),
  }
}

function lastDecision(db: SqliteDatabase, projectNo: number): number {
  const find = db.prepare(
    'select decision_no from decision where project_no = ? order by decided_ms desc, decision_no desc limit 1',
  )
  return (find.pluck().get(projectNo) as number | undefined) ?? 0
}

interface Claim {
  projectNo: number
  afterDecision: number
  toDecision: number
}

interface NewRow {
  fingerprint_no: number
  fingerprint: Buffer
  parent_key: Buffer
  signal: SignalType
  service: string
  operation: string
  operation_no: number
  error_type: string | null
  template: string
  first_seen_ms: number
  failures: number
  traces: number
  sessions: number
  first_ms: number
  last_ms: number
  decided_ms: number
  earlier: number
}

function readNew(db: SqliteDatabase, claim: Claim): NewRow[] {
  return db
    .prepare(
      `with new as (
         select fingerprint_no, count(*) as failures, count(distinct trace_hash) as traces, count(distinct session_id) as sessions,
           min(event_ms) as first_ms, max(event_ms) as last_ms, min(decided_ms) as decided_ms
         from failure where project_no = @projectNo and decision_no > @afterDecision and decision_no <= @toDecision group by fingerprint_no)
       select new.*, f.fingerprint, f.parent_key, f.signal, f.service, f.operation, f.operation_no, f.error_type, f.template, f.first_seen_ms,
         exists (select 1 from failure e where e.fingerprint_no = new.fingerprint_no and e.project_no = @projectNo
                 and e.decision_no <= @afterDecision) as earlier
       from new join fingerprint f using (fingerprint_no)`,
    )
    .all(claim) as NewRow[]
}

function toFacts(row: NewRow, runs: RunCounts): PainFacts {
  const nothing = { failures: 0, runs: 0 }
  return {
    fingerprint: row.fingerprint.toString('hex'),
    parentKey: row.parent_key.toString('hex'),
    signal: row.signal,
    service: row.service,
    operation: row.operation,
    decided: row.failures,
    provisional: 0,
    traces: row.traces,
    sessions: row.sessions,
    firstSeenMs: row.first_seen_ms,
    firstEventMs: row.first_ms,
    lastEventMs: row.last_ms,
    runs: runs.byOperation.get(row.operation_no)?.runs ?? 0,
    earlier: nothing,
    later: nothing,
  }
}

function toSeen(row: NewRow, { fingerprint, signal, service, operation }: PainFacts, projectId: string): SeenPain {
  return {
    painId: painIdOf(projectId, row.fingerprint),
    fingerprint,
    title: titleOf({ signal, operation, errorType: row.error_type, template: row.template }),
    signal,
    service,
    operation,
    firstSeenMs: Math.min(row.first_seen_ms, row.first_ms),
    lastSeenMs: row.last_ms,
  }
}

/** The latest of different traces. */
function readEvidence(db: SqliteDatabase, claim: Claim, fingerprintNo: number): string[] {
  const rows = db
    .prepare(
      `select trace_id, span_id, max(event_ms) from failure where fingerprint_no = @fingerprintNo and project_no = @projectNo
         and decision_no > @afterDecision and decision_no <= @toDecision
       group by trace_hash order by max(event_ms) desc, trace_hash limit ${EVIDENCE_MAX}`,
    )
    .safeIntegers()
    .all({ ...claim, fingerprintNo }) as { trace_id: Uint8Array; span_id: bigint }[]
  return rows.map(({ trace_id, span_id }) => {
    const spanId = new Uint8Array(8)
    new DataView(spanId.buffer).setBigInt64(0, span_id)
    return encodeRecordId(new Uint8Array(trace_id), spanId)
  })
}
