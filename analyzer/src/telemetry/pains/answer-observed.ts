import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { titleOf } from '@loopkit/shared/signals/title'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { painIdOf } from '../../domain/opaque-id.ts'
import type { PainFacts } from '../../domain/pain-facts.ts'
import type { PainView } from '../../domain/pain-view.ts'
import { rankPains } from '../../domain/weigh-pain.ts'
import type { MinuteWindow } from '../../domain/window.ts'
import { countRuns, type RunCounts } from '../counts/window-counts.ts'
import { observedOutliers } from '../outliers/observed-outliers.ts'
import type { SeenPain } from '../questions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { ObservedPain } from './observed-pain.ts'

export interface ObservedQuestion {
  projectNo: number
  projectId: string
  /** Decisions up to this one were claimed before. */
  afterDecision: number
  view: Pick<PainView, 'rootOf'>
  /** Where slow and dear runs are looked for. */
  window: MinuteWindow
  off: readonly SignalType[]
}

export interface ObservedAnswer {
  /** The last decision there is: the claim reaches up to it. */
  toDecision: number
  /** Heaviest first. */
  pains: ObservedPain[]
  /** As they stand, claimed or not. */
  outliers: ObservedPain[]
}

/** Pains of one answer; an agent that was away for long gets the heaviest. */
const PAINS_MAX = 2000
const EVIDENCE_MAX = 5
const MINUTE_MS = 60_000

/** Pains whose failures were decided after what was claimed. Undecided failures are nobody's yet: they come with their decision. */
export function answerObserved(connection: TelemetryConnection, question: ObservedQuestion): ObservedAnswer {
  const { db } = connection
  const { projectNo, projectId, afterDecision, view } = question
  const claim = claimOf(db, { projectNo, afterDecision, toDecision: lastDecision(db, projectNo) })
  const pains = mergeNew(db, claim, { rows: readNew(db, claim), rootOf: view.rootOf })
  const fromMs = pains.reduce((least, pain) => Math.min(least, pain.decided_ms), Number.POSITIVE_INFINITY)
  const toMinute = Math.floor(pains.reduce((most, pain) => Math.max(most, pain.last_ms, pain.decided_ms), 0) / MINUTE_MS) + 1
  const runs =
    pains.length === 0 ? null : countRuns(connection, projectNo, { fromMinute: Math.floor(fromMs / MINUTE_MS), toMinute })
  const named = new Map(pains.map((pain) => [pain.fingerprint.toString('hex'), pain]))
  const ranked = rankPains(pains.map((pain) => toFacts(pain, runs!)))
  return {
    outliers: observedOutliers(connection, { ...question, events: null, service: null }),
    toDecision: claim.toDecision,
    pains: ranked.slice(0, PAINS_MAX).map((facts) => {
      const pain = named.get(facts.fingerprint)!
      return {
        seen: toSeen(pain, facts, projectId),
        facts,
        isFirst: pain.earlier === 0,
        evidenceIds: readEvidence(db, claim, pain.fingerprintNos),
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

interface Decisions {
  projectNo: number
  afterDecision: number
  toDecision: number
}

/** Failures lie in the order of their decisions, so what is claimed is a range of their numbers. */
interface Claim extends Decisions {
  fromFailure: number
  toFailure: number
}

function claimOf(db: SqliteDatabase, decisions: Decisions): Claim {
  const bounds = db.prepare(
    `select min(first_failure_no) as fromFailure, max(last_failure_no) as toFailure from decision
     where project_no = @projectNo and decision_no > @afterDecision and decision_no <= @toDecision`,
  )
  const { fromFailure, toFailure } = bounds.get(decisions) as Record<'fromFailure' | 'toFailure', number | null>
  return { ...decisions, fromFailure: fromFailure ?? 1, toFailure: toFailure ?? 0 }
}

/** What a pain is called by; from the row of its fingerprint. */
interface FingerprintRow {
  fingerprint_no: number
  fingerprint: Buffer
  parent_key: Buffer
  signal: SignalType
  service: string
  operation: string
  operation_no: number
  error_type: string | null
  template: string
  steps: string
  first_seen_ms: number
}

interface NewFailures {
  failures: number
  traces: number
  sessions: number
  first_ms: number
  last_ms: number
  decided_ms: number
  ended: number
  /** 1: some of its failures were decided before. */
  earlier: number
}

type NewRow = FingerprintRow & NewFailures

type NewPain = NewRow & { fingerprintNos: number[]; operationNos: number[] }

const NAMED_BY =
  'fingerprint_no, fingerprint, parent_key, signal, service, operation, operation_no, error_type, template, steps, first_seen_ms'

const NEW_FAILURES = `count(*) as failures, count(distinct trace_hash) as traces, count(distinct iif(session_no = 0, trace_id, session_no)) as sessions,
  min(event_ms) as first_ms, max(event_ms) as last_ms, min(decided_ms) as decided_ms,
  sum(ended_trace) as ended`

function readNew(db: SqliteDatabase, claim: Claim): NewRow[] {
  return db
    .prepare(
      `with new as (
         select fingerprint_no, ${NEW_FAILURES}
         from failure where project_no = @projectNo and decision_no > @afterDecision and decision_no <= @toDecision group by fingerprint_no)
       select new.*, ${NAMED_BY},
         exists (select 1 from decided_failure e where e.fingerprint_no = new.fingerprint_no and e.failure_no < @fromFailure) as earlier
       from new join fingerprint using (fingerprint_no)`,
    )
    .all(claim) as NewRow[]
}

/** Fingerprints that were merged are one pain: new only where none of them failed before. */
function mergeNew(
  db: SqliteDatabase,
  claim: Claim,
  { rows, rootOf }: { rows: readonly NewRow[]; rootOf: PainView['rootOf'] },
): NewPain[] {
  const membersOf = Map.groupBy(Object.keys(rootOf), (name) => rootOf[name])
  const byRoot = Map.groupBy(rows, ({ fingerprint }) => rootOf[toHex(fingerprint)] ?? toHex(fingerprint))
  const find = db.prepare(`select ${NAMED_BY} from fingerprint where project_no = ? and fingerprint = ?`)
  return [...byRoot].map(([root, own]) => {
    const [first] = own as [NewRow]
    const merged = membersOf.get(root)
    if (!merged) return { ...first, fingerprintNos: [first.fingerprint_no], operationNos: [first.operation_no] }
    const names = [root, ...merged]
    const members = names.flatMap((name) => (find.get(claim.projectNo, fromHex(name)) as FingerprintRow | undefined) ?? [])
    const fingerprintNos = members.map((member) => member.fingerprint_no)
    const head = members.find(({ fingerprint }) => toHex(fingerprint) === root) ?? first
    return {
      ...head,
      fingerprint: Buffer.from(root, 'hex'),
      ...readNewOf(db, claim, fingerprintNos),
      fingerprintNos,
      operationNos: [...new Set(members.map((member) => member.operation_no))],
    }
  })
}

function readNewOf(db: SqliteDatabase, claim: Claim, fingerprintNos: readonly number[]): NewFailures {
  const ofMembers = 'project_no = @projectNo and fingerprint_no in (select value from json_each(@fingerprintNos))'
  return db
    .prepare(
      `select ${NEW_FAILURES}, exists (select 1 from failure where ${ofMembers} and decision_no <= @afterDecision) as earlier
       from failure where ${ofMembers} and decision_no > @afterDecision and decision_no <= @toDecision`,
    )
    .get({ ...claim, fingerprintNos: JSON.stringify(fingerprintNos) }) as NewFailures
}

function toFacts(row: NewPain, runs: RunCounts): PainFacts {
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
    ended: row.ended,
    firstSeenMs: row.first_seen_ms,
    firstEventMs: row.first_ms,
    lastEventMs: row.last_ms,
    runs: row.operationNos.reduce((sum, number) => sum + (runs.byOperation.get(number)?.runs ?? 0), 0),
    earlier: nothing,
    later: nothing,
    season: null,
    novelty: null,
    onset: { kind: 'first_failure', atMs: Math.min(row.first_seen_ms, row.first_ms), uncertainMs: 0 },
  }
}

function toSeen(row: NewRow, { fingerprint, signal, service, operation }: PainFacts, projectId: string): SeenPain {
  return {
    painId: painIdOf(projectId, row.fingerprint),
    fingerprint,
    title: titleOf({ signal, operation, errorType: row.error_type, template: row.template, steps: JSON.parse(row.steps) }),
    signal,
    service,
    operation,
    firstSeenMs: Math.min(row.first_seen_ms, row.first_ms),
    lastSeenMs: row.last_ms,
  }
}

/** Of a pain the failures that were decided last, among which the latest are looked for. */
const EVIDENCE_LOOKED_AT = 500

/** The latest of different traces. */
function readEvidence(db: SqliteDatabase, claim: Claim, fingerprintNos: readonly number[]): string[] {
  const rows = db
    .prepare(
      `select trace_id, span_id, max(event_ms) from (
         select trace_id, trace_hash, span_id, event_ms from decided_failure
         where fingerprint_no in (select value from json_each(@fingerprintNos)) and failure_no between @fromFailure and @toFailure
         order by failure_no desc limit ${EVIDENCE_LOOKED_AT})
       group by trace_hash order by max(event_ms) desc, trace_hash limit ${EVIDENCE_MAX}`,
    )
    .safeIntegers()
    .all({ ...claim, fingerprintNos: JSON.stringify(fingerprintNos) }) as { trace_id: Uint8Array; span_id: bigint }[]
  return rows.map(({ trace_id, span_id }) => {
    const spanId = new Uint8Array(8)
    new DataView(spanId.buffer).setBigInt64(0, span_id)
    return encodeRecordId(new Uint8Array(trace_id), spanId)
  })
}
