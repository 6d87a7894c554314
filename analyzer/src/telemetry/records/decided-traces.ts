import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { DecisionsOfTraces } from '@loopkit/shared/database/telemetry/trace-decisions'
import { memoryOf } from '../read-memory.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** A decided failure of a trace that was asked about. */
export interface DecidedFailure {
  traceHash: bigint
  spanId: bigint
  fingerprintNo: number
  failureNo: number
}

/** What is decided of traces that were asked about before, up to a failure and a decision. Failures taken back since may still be among them. */
interface DecidedTraces {
  upToFailure: number
  byTrace: Map<bigint, DecidedFailure[]>
}

const DECIDED = memoryOf<DecidedTraces>('decided traces')
/** Traces remembered; some 150 bytes each. */
const TRACES_MAX = 40_000
/** Failures decided since, from which asking anew is less. */
const SINCE_MAX = 20_000
/** Of a decision whose failures are no longer kept. */
const NO_RANGE = [1, 0] as const
const NONE: readonly DecidedFailure[] = []

function createDecidedTraces(): DecidedTraces {
  return { upToFailure: 0, byTrace: new Map() }
}

/**
 * The decided failures of these traces (hashes as rows hold them). Of traces that were asked about before only what was decided since
 * is read: numbers of failures only grow, and one that was taken back is gone.
 */
export function findDecided(
  { db, decisionsOfTraces, memory }: TelemetryConnection,
  projectNo: number,
  hashes: readonly bigint[],
): DecidedFailure[] {
  const known = memory.only(DECIDED, projectNo, createDecidedTraces)
  const newest = db.prepare('select last_failure_no from decision order by decision_no desc limit 1').pluck()
  const last = (newest.get() as number | undefined) ?? 0
  if (known.byTrace.size > TRACES_MAX || last - known.upToFailure > SINCE_MAX) known.byTrace.clear()
  if (known.byTrace.size > 0) addSince(db, known)
  known.upToFailure = last
  const missing = [...new Set(hashes)].filter((hash) => !known.byTrace.has(hash))
  addMissing(db, decisionsOfTraces(projectNo, missing), { projectNo, known, missing })
  const found = [...new Set(hashes)].flatMap((hash) => known.byTrace.get(hash) ?? NONE)
  const stored = new Set(
    db
      .prepare('select failure_no from decided_failure where failure_no in (select value from json_each(?))')
      .pluck()
      .all(JSON.stringify(found.map(({ failureNo }) => failureNo))) as number[],
  )
  return found.filter(({ failureNo }) => stored.has(failureNo))
}

type FailureRow = [traceHash: bigint, spanId: bigint, fingerprintNo: bigint, failureNo: bigint]

const IN_RANGE =
  'select trace_hash, span_id, fingerprint_no, failure_no from decided_failure where failure_no >= ? and failure_no <= ? order by failure_no'

function* readRange(db: SqliteDatabase, from: number, to: number): Generator<DecidedFailure> {
  const rows = db.prepare(IN_RANGE).safeIntegers().raw().iterate(from, to) as Iterable<FailureRow>
  for (const [traceHash, spanId, fingerprintNo, failureNo] of rows)
    yield { traceHash, spanId, fingerprintNo: Number(fingerprintNo), failureNo: Number(failureNo) }
}

function addSince(db: SqliteDatabase, { upToFailure, byTrace }: DecidedTraces): void {
  for (const failure of readRange(db, upToFailure + 1, Number.MAX_SAFE_INTEGER)) {
    const ofTrace = byTrace.get(failure.traceHash)
    if (ofTrace) byTrace.set(failure.traceHash, [...ofTrace, failure])
  }
}

function addMissing(
  db: SqliteDatabase,
  decisions: ReturnType<DecisionsOfTraces>,
  { projectNo, known, missing }: { projectNo: number; known: DecidedTraces; missing: readonly bigint[] },
): void {
  for (const hash of missing) known.byTrace.set(hash, [])
  const bounds = db
    .prepare('select first_failure_no, last_failure_no from decision where decision_no = ? and project_no = ?')
    .raw()
  for (const [decisionNo, ofDecision] of decisions) {
    const [from, to] = (bounds.get(decisionNo, projectNo) as [number, number] | undefined) ?? NO_RANGE
    const wanted = new Set(ofDecision)
    for (const failure of readRange(db, from, to))
      if (wanted.has(failure.traceHash)) known.byTrace.get(failure.traceHash)!.push(failure)
  }
}
