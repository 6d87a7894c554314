import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import { hashText } from '@loopkit/shared/rollup/distinct-count'
import { sessionBits } from '@loopkit/shared/rollup/pain-rollup'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { PainFacts } from '../../domain/pain-facts.ts'
import { type FailureSelection, SESSION_ID, selectFailures } from '../counts/failure-scope.ts'
import { type OpenPart, type PainParts, spreadOfParts } from '../counts/rolled-failures.ts'
import { type CountedPain, countSpread, type RunCounts } from '../counts/window-counts.ts'
import type { OpenFailure } from './open-failures.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'

export interface PainSources {
  decided: CountedPain[]
  open: OpenFailure[]
  runs: RunCounts
}

/** What a window knows of one fingerprint beside its failures. */
interface Member {
  fingerprint: string
  /** null where none of its failures was ever decided. */
  fingerprintNo: number | null
  operationNo: number | null
  parentKey: string
  signal: SignalType
  service: string
  operation: string
  firstSeenMs: number
  failures: number
  splitFrom?: CountedPain['splitFrom']
}

const MINUTE_MS = 60_000
/** What only the weeks of a pain say. */
const NOT_READ = { series: null, season: null, novelty: null }

/** Pains of decided and undecided failures; fingerprints that were merged are one, under the name of the one they were merged into. */
export function joinPains(db: SqliteDatabase, question: PainQuestion, { decided, open, runs }: PainSources): RankedPain[] {
  const rootOf = ({ fingerprint }: { fingerprint: string }) => question.view.rootOf[fingerprint] ?? fingerprint
  const decidedBy = Map.groupBy(decided, rootOf)
  const openBy = Map.groupBy(open, rootOf)
  return [...new Set([...decidedBy.keys(), ...openBy.keys()])].map((fingerprint) =>
    joinPain(db, question, { fingerprint, decided: decidedBy.get(fingerprint) ?? [], open: openBy.get(fingerprint) ?? [], runs }),
  )
}

function joinPain(db: SqliteDatabase, question: PainQuestion, sources: PainSources & { fingerprint: string }): RankedPain {
  const { fingerprint, decided, open, runs } = sources
  const members = membersOf(db, question, sources)
  const head = members[0]!
  const selection = {
    fingerprintNos: members.flatMap(({ fingerprintNo }) => fingerprintNo ?? []),
    moved: decided.flatMap(({ moved }) => moved),
    left: decided.flatMap(({ left }) => left),
    movedFrom: decided.flatMap(({ splitFrom }) => splitFrom?.fingerprintNo ?? []),
    parts: partsOf(decided),
  }
  const spread = spreadOf(db, question, { decided, open, selection })
  const events = open.map(({ eventMs }) => eventMs)
  const exposure = exposureOf(members, runs)
  const firstSeenMs = Math.min(...members.map(({ firstSeenMs }) => firstSeenMs))
  const firstEventMs = Math.min(...decided.map(({ firstEventMs }) => firstEventMs), ...events)
  return {
    ...selection,
    headNo: head.fingerprintNo ?? head.splitFrom?.fingerprintNo ?? null,
    splitSteps: head.fingerprintNo === null ? (head.splitFrom?.steps ?? []) : [],
    open,
    fingerprint,
    parentKey: head.parentKey,
    signal: head.signal,
    service: head.service,
    operation: head.operation,
    ...placesOf(members),
    decided: sum(decided, ({ failures }) => failures),
    provisional: open.length,
    ...spread,
    firstSeenMs,
    firstEventMs,
    lastEventMs: Math.max(...decided.map(({ lastEventMs }) => lastEventMs), ...events),
    runs: exposure.runs,
    ...halves(sources, exposure),
    operationNos: operationNosOf(members),
    ...NOT_READ,
    onset: { kind: 'first_failure', atMs: Math.min(firstSeenMs, firstEventMs), uncertainMs: 0 },
  }
}

/** Places of members that are told of one by one. */
const PLACES_MAX = 10

/** A merge may put together what fails in different ways or places. */
function placesOf(members: readonly Member[]): Pick<PainFacts, 'places'> {
  const places = new Map(
    members.map(({ service, operation, signal }) => [`${signal} ${service} ${operation}`, { service, operation, signal }]),
  )
  return places.size > 1 ? { places: [...places.values()].slice(0, PLACES_MAX) } : {}
}

/** The pain itself first, where anything is known of it; then by failures. */
function membersOf(
  db: SqliteDatabase,
  { projectNo }: PainQuestion,
  { fingerprint, decided, open }: PainSources & { fingerprint: string },
): Member[] {
  const members = new Map<string, Member>(decided.map((pain) => [pain.fingerprint, pain]))
  for (const [name, failures] of Map.groupBy(open, (failure) => failure.fingerprint)) {
    if (!members.has(name)) members.set(name, openMember(db, projectNo, failures))
  }
  const self = members.get(fingerprint) ?? storedMember(db, projectNo, fingerprint)
  const others = [...members.values()].filter((member) => member !== self)
  others.sort((a, b) => b.failures - a.failures || (a.fingerprint < b.fingerprint ? -1 : 1))
  return self ? [self, ...others] : others
}

/** Of its failures none is decided in this window. */
function openMember(db: SqliteDatabase, projectNo: number, open: OpenFailure[]): Member {
  const [first] = open as [OpenFailure]
  const { fingerprint, parentKey, service, operation } = first
  const firstEventMs = Math.min(...open.map(({ eventMs }) => eventMs))
  const stored = storedMember(db, projectNo, fingerprint)
  return {
    ...{ fingerprint, parentKey, service, operation },
    signal: first.failure.detection.signal,
    fingerprintNo: stored?.fingerprintNo ?? null,
    operationNo: operationNo(db, projectNo, { service, operation }),
    firstSeenMs: Math.min(stored?.firstSeenMs ?? firstEventMs, firstEventMs),
    failures: open.length,
  }
}

/** What is known of a fingerprint whose failures were decided in any window. */
function storedMember(db: SqliteDatabase, projectNo: number, fingerprint: string): Member | undefined {
  const find = db.prepare(
    `select fingerprint_no as fingerprintNo, operation_no as operationNo, lower(hex(parent_key)) as parentKey, signal, service, operation,
       first_seen_ms as firstSeenMs from fingerprint where project_no = ? and fingerprint = ?`,
  )
  const row = find.get(projectNo, fromHex(fingerprint)) as Omit<Member, 'fingerprint' | 'failures'> | undefined
  return row && { ...row, fingerprint, failures: 0 }
}

function operationNo(db: SqliteDatabase, projectNo: number, { service, operation }: Pick<Member, 'service' | 'operation'>) {
  const find = db.prepare('select operation_no from operation where project_no = ? and service = ? and operation = ?').pluck()
  return (find.get(projectNo, service, operation) as number | undefined) ?? null
}

function operationNosOf(members: readonly Member[]): number[] {
  return [...new Set(members.flatMap(({ operationNo }) => operationNo ?? []))]
}

/** Runs of all operations that the members fail in, each once. */
function exposureOf(members: readonly Member[], { byOperation, middleMinute }: RunCounts) {
  const counts = operationNosOf(members).flatMap((number) => byOperation.get(number) ?? [])
  return { runs: sum(counts, ({ runs }) => runs), later: sum(counts, ({ later }) => later), middleMinute }
}

interface SpreadSources {
  decided: readonly CountedPain[]
  open: readonly OpenFailure[]
  selection: FailureSelection
}

const NO_SPREAD = { traces: 0, sessions: 0, ended: 0 }

/** null where a split divides what they add up from, or it was not read. */
function partsOf(decided: readonly CountedPain[]): PainParts[] | null {
  const parts = decided.flatMap((pain) => (pain.moved.length + pain.left.length === 0 ? (pain.parts ?? []) : []))
  return parts.length === decided.length ? parts : null
}

/** Distinct traces and sessions; those of undecided failures only where no decided one brings them. */
function spreadOf(db: SqliteDatabase, question: PainQuestion, { decided, open, selection }: SpreadSources) {
  const endedOpen = open.filter(({ hasEnded }) => hasEnded).length
  if (selection.parts && decided.length + open.length > 0) {
    const bitsOf = createOpenBits(db, question.projectNo)
    const { traces, sessions, ended } = spreadOfParts(selection.parts, open.map(bitsOf))
    // Many of them are estimated, and an estimate must not tell of more than each failure brings.
    const failures = sum(decided, (pain) => pain.failures) + open.length
    return { traces: Math.min(traces, failures), sessions: Math.min(sessions, failures), ended: ended + endedOpen }
  }
  const [only] = decided
  const counted = decided.length > 1 ? countSpread(db, question, selection) : (only ?? NO_SPREAD)
  const { traces: decidedTraces, sessions: decidedSessions } = counted
  const ended = counted.ended + endedOpen
  if (open.length === 0) return { traces: decidedTraces, sessions: decidedSessions, ended }
  const { sql, parameters } = selectFailures(question, selection)
  const inTrace = db.prepare(`select 1 from decided_failure f where ${sql} and trace_hash = @traceHash limit 1`)
  const inSession = db.prepare(`select 1 from decided_failure f where ${sql} and ${SESSION_ID} = @sessionId limit 1`)
  const traces = [...new Set(open.map(({ traceHash }) => traceHash))]
  const sessions = [...new Set(open.map(({ failure }) => failure.sessionId))]
  const newTraces = traces.filter((traceHash) => inTrace.get({ ...parameters, traceHash }) === undefined)
  const newSessions = sessions.filter((id) => inSession.get({ ...parameters, sessionId: toIndexText(id) }) === undefined)
  return { traces: decidedTraces + newTraces.length, sessions: decidedSessions + newSessions.length, ended }
}

/** Trace and session of an undecided failure by the bits that rollups count: a session without a row is its trace, or a new one. */
function createOpenBits(db: SqliteDatabase, projectNo: number): (open: OpenFailure) => OpenPart {
  const find = db.prepare('select session_no from session where project_no = ? and session_id = ?').pluck()
  return ({ traceHash, failure: { sessionId, span } }) => {
    const traceBits = Number(BigInt.asUintN(64, traceHash) >> 32n)
    if (sessionId === toHex(span.traceId)) return { traceBits, sessionBits: traceBits }
    const sessionNo = find.get(projectNo, toIndexText(sessionId)) as number | undefined
    return { traceBits, sessionBits: sessionNo === undefined ? hashText(sessionId) : sessionBits(sessionNo, traceBits) }
  }
}

function halves(
  { decided, open }: PainSources,
  { runs, later: laterRuns, middleMinute }: { runs: number; later: number; middleMinute: number },
): Pick<PainFacts, 'earlier' | 'later'> {
  const failures = sum(decided, (pain) => pain.failures) + open.length
  const openLater = open.filter(({ eventMs }) => eventMs >= middleMinute * MINUTE_MS).length
  const later = sum(decided, ({ laterFailures }) => laterFailures) + openLater
  return { earlier: { failures: failures - later, runs: runs - laterRuns }, later: { failures: later, runs: laterRuns } }
}

function sum<T>(rows: readonly T[], count: (row: T) => number): number {
  return rows.reduce((total, row) => total + count(row), 0)
}
