import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { isRepeated } from '../domain/packet/build-packet.ts'
import type { Omission } from '../domain/packet/model.ts'
import { failuresOf, type PainFacts, type PainReading } from '../domain/pain-facts.ts'
import { rankPains } from '../domain/weigh-pain.ts'
import { windowBoundsMs } from '../domain/window.ts'
import { judgeOpenTraces, type OpenFailure } from './open-failures.ts'
import { readPainDetails } from './pain-details.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'
import type { TelemetryConnection } from './telemetry-file.ts'
import { type CountedPain, countPains, countRuns, countTelemetryRead, type RunCounts } from './window-counts.ts'

export interface WindowReading {
  telemetryRead: number
  failures: number
  /** Whether any pain of the window is repeated, shown or not. */
  repeated: boolean
  /** Heaviest first. */
  pains: PainReading[]
  painsTotal: number
  omitted: Omission[]
}

/** All that one window says. Call it inside a read transaction, so that a failure is either decided or provisional, never both. */
export function readPains(connection: TelemetryConnection, question: PainQuestion): WindowReading {
  const { projectNo, window, service, painsSkip, painsMax, only } = question
  const runs = countRuns(connection.db, projectNo, window)
  const decided = countPains(connection.db, projectNo, { window, middleMinute: runs.middleMinute, service })
  const open = judgeOpenTraces(connection, { ...question, off: new Set(question.off) })
  const wanted = open.failures.filter((failure) => service === null || failure.service === service)
  const merged = mergePains(connection.db, question, { decided, open: wanted, runs })
  const ranked = rankPains(only === null ? merged : merged.filter(({ fingerprint }) => fingerprint === only))
  const shown = ranked.slice(painsSkip, painsSkip + painsMax)
  const { details, expired } = readPainDetails(connection, question, shown)
  const pains = shown.map((facts, at) => ({ facts: withoutSources(facts), detail: details[at]! }))
  const omitted = [
    { what: 'open_traces', count: open.notJudged, reason: 'not_judged_yet' },
    { what: 'issues', count: Math.max(0, ranked.length - painsSkip - shown.length), reason: 'lower_rank' },
    { what: 'evidence', count: expired, reason: 'evidence_expired' },
  ]
  return {
    telemetryRead: countTelemetryRead(connection.db, projectNo, window, service),
    failures: ranked.reduce((sum, pain) => sum + failuresOf(pain), 0),
    repeated: ranked.some((pain) => isRepeated({ count: failuresOf(pain), sessions: pain.sessions }, question.repeated)),
    pains,
    painsTotal: ranked.length,
    omitted: omitted.filter(({ count }) => count > 0),
  }
}

function withoutSources({ fingerprintNo: _number, open: _open, ...facts }: RankedPain): PainFacts {
  return facts
}

interface PainSources {
  decided: CountedPain[]
  open: OpenFailure[]
  runs: RunCounts
}

function mergePains(db: SqliteDatabase, question: PainQuestion, { decided, open, runs }: PainSources): RankedPain[] {
  const openBy = Map.groupBy(open, ({ fingerprint }) => fingerprint)
  const merged = decided.map((pain) => {
    const also = openBy.get(pain.fingerprint) ?? []
    openBy.delete(pain.fingerprint)
    return mergePain(db, question, { pain, open: also, runs })
  })
  for (const failures of openBy.values()) merged.push(openPain(db, question, { open: failures, runs }))
  return merged
}

function mergePain(
  db: SqliteDatabase,
  question: PainQuestion,
  { pain, open, runs }: { pain: CountedPain; open: OpenFailure[]; runs: RunCounts },
): RankedPain {
  const { fingerprintNo, fingerprint, parentKey, signal, service, operation, firstSeenMs } = pain
  const added = addedSpread(db, question, { fingerprintNo, open })
  const exposure = runs.byOperation.get(pain.operationNo) ?? { runs: 0, later: 0 }
  const events = open.map(({ eventMs }) => eventMs)
  const counts = { failures: pain.failures, later: pain.laterFailures }
  return {
    fingerprintNo,
    open,
    fingerprint,
    parentKey,
    signal,
    service,
    operation,
    decided: pain.failures,
    provisional: open.length,
    traces: pain.traces + added.traces,
    sessions: pain.sessions + added.sessions,
    firstSeenMs,
    firstEventMs: Math.min(pain.firstEventMs, ...events),
    lastEventMs: Math.max(pain.lastEventMs, ...events),
    runs: exposure.runs,
    ...halves(counts, open, { exposure, middleMinute: runs.middleMinute }),
  }
}

/** Traces and sessions that only the open failures bring. */
function addedSpread(
  db: SqliteDatabase,
  { projectNo, window }: PainQuestion,
  { fingerprintNo, open }: { fingerprintNo: number; open: OpenFailure[] },
): { traces: number; sessions: number } {
  const { fromMs, toMs } = windowBoundsMs(window)
  const within = 'where failure.project_no = ? and fingerprint_no = ? and decided_ms >= ? and decided_ms < ?'
  const inTrace = db.prepare(`select 1 from failure ${within} and trace_hash = ? limit 1`)
  const inSession = db.prepare(`select 1 from failure ${within} and session_id = ? limit 1`)
  const isNew = (found: unknown) => found === undefined
  const traces = [...new Set(open.map(({ traceHash }) => traceHash))]
  const sessions = [...new Set(open.map(({ failure }) => failure.sessionId))]
  return {
    traces: traces.filter((hash) => isNew(inTrace.get(projectNo, fingerprintNo, fromMs, toMs, hash))).length,
    sessions: sessions.filter((id) => isNew(inSession.get(projectNo, fingerprintNo, fromMs, toMs, toIndexText(id)))).length,
  }
}

/** A pain of which no failure is decided in this window. */
function openPain(
  db: SqliteDatabase,
  question: PainQuestion,
  { open, runs }: { open: OpenFailure[]; runs: RunCounts },
): RankedPain {
  const [first] = open as [OpenFailure]
  const { service, operation } = first
  const known = knownPain(db, question.projectNo, first)
  const exposure = (known.operationNo !== null && runs.byOperation.get(known.operationNo)) || { runs: 0, later: 0 }
  const events = open.map(({ eventMs }) => eventMs)
  const firstEventMs = Math.min(...events)
  return {
    fingerprintNo: known.fingerprintNo,
    open,
    fingerprint: first.fingerprint,
    parentKey: first.parentKey,
    signal: first.failure.detection.signal,
    service,
    operation,
    decided: 0,
    provisional: open.length,
    traces: new Set(open.map(({ traceHash }) => traceHash)).size,
    sessions: new Set(open.map(({ failure }) => failure.sessionId)).size,
    firstSeenMs: Math.min(known.firstSeenMs ?? firstEventMs, firstEventMs),
    firstEventMs,
    lastEventMs: Math.max(...events),
    runs: exposure.runs,
    ...halves({ failures: 0, later: 0 }, open, { exposure, middleMinute: runs.middleMinute }),
  }
}

interface KnownPain {
  fingerprintNo: number | null
  firstSeenMs: number | null
  operationNo: number | null
}

function knownPain(db: SqliteDatabase, projectNo: number, { failure, service, operation }: OpenFailure): KnownPain {
  const fingerprint = db
    .prepare('select fingerprint_no, first_seen_ms from fingerprint where project_no = ? and fingerprint = ?')
    .get(projectNo, failure.fingerprint.key) as { fingerprint_no: number; first_seen_ms: number } | undefined
  const operationNo = db
    .prepare('select operation_no from operation where project_no = ? and service = ? and operation = ?')
    .pluck()
    .get(projectNo, service, operation) as number | undefined
  return {
    fingerprintNo: fingerprint?.fingerprint_no ?? null,
    firstSeenMs: fingerprint?.first_seen_ms ?? null,
    operationNo: operationNo ?? null,
  }
}

const MINUTE_MS = 60_000

function halves(
  decided: { failures: number; later: number },
  open: OpenFailure[],
  { exposure, middleMinute }: { exposure: { runs: number; later: number }; middleMinute: number },
): Pick<PainFacts, 'earlier' | 'later'> {
  const openLater = open.filter(({ eventMs }) => eventMs >= middleMinute * MINUTE_MS).length
  const later = decided.later + openLater
  return {
    earlier: { failures: decided.failures + open.length - later, runs: exposure.runs - exposure.later },
    later: { failures: later, runs: exposure.later },
  }
}
