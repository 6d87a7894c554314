import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { coverWindow } from '@loopkit/shared/rollup/cover-window'
import { createDistinctCount, hashText } from '@loopkit/shared/rollup/distinct-count'
import { type FailureRow, failureColumns, toRolledFailure } from '@loopkit/shared/rollup/failure-row'
import { type PainRollupRow, type RolledFailure, sessionBits } from '@loopkit/shared/rollup/pain-rollup'
import { orderOf, type Sample, unpackSamples } from '@loopkit/shared/rollup/samples'
import { unpackVarints } from '@loopkit/shared/rollup/varints'
import { type MinuteWindow, windowBoundsMs } from '../domain/window.ts'

/** Decided failures of one fingerprint in a window: most of them by hours and days, the others one by one. */
export interface PainParts {
  rows: PainRollupRow[]
  single: RolledFailure[]
}

export interface Spread {
  traces: number
  sessions: number
  ended: number
  firstEventMs: number
  lastEventMs: number
}

/** A failure that is not decided yet, as it counts beside those that are. */
export interface OpenPart {
  traceBits: number
  sessionBits: number
}

const MINUTE_MS = 60_000

/** All decided failures of a window, by fingerprint. */
export function readPainParts(db: SqliteDatabase, projectNo: number, window: MinuteWindow): Map<number, PainParts> {
  const found = new Map<number, PainParts>()
  const partsOf = (fingerprintNo: number): PainParts => {
    const parts = found.get(fingerprintNo) ?? { rows: [], single: [] }
    found.set(fingerprintNo, parts)
    return parts
  }
  const rolled = rolledDecisions(db)
  const { wide, minutes } = coverWindow(window.fromMinute, window.toMinute, rolled.toMinute)
  const rows = db.prepare(
    `select fingerprint_no, failures, ended, first_event_ms, last_event_ms, first_no, last_no, traces, sessions, users, releases,
       service_lists, samples from pain_rollup where project_no = ? and minutes = ? and bucket >= ? and bucket < ?`,
  )
  for (const { minutes: width, from, to } of wide)
    for (const row of rows.iterate(projectNo, width, from, to) as Iterable<PainRollupRow & { fingerprint_no: number }>)
      partsOf(row.fingerprint_no).rows.push(row)
  const singles = (fromMs: number, toMs: number, numbers: Pick<SingleScope, 'decisions' | 'failures'>) => {
    for (const { fingerprintNo, ...failure } of readSingles(db, { projectNo, fromMs, toMs, ...numbers }))
      partsOf(fingerprintNo).single.push(failure)
  }
  for (const [from, to] of minutes) {
    if (to <= rolled.toMinute) singles(from * MINUTE_MS, to * MINUTE_MS, rolled.within)
  }
  const { fromMs, toMs } = windowBoundsMs(window)
  singles(fromMs, toMs, rolled.beyond)
  return found
}

interface Rolled {
  /** Numbers of the failures that are in, and of those that are not. */
  within: Pick<SingleScope, 'decisions' | 'failures'>
  beyond: Pick<SingleScope, 'decisions' | 'failures'>
  /** The first minute that none of those is of which are in. */
  toMinute: number
}

/** A decision of many failures is in by parts: of the one after the last that is in wholly, those up to a number. */
function rolledDecisions(db: SqliteDatabase): Rolled {
  const mark = db.prepare('select up_to from rolled_up where project_no = 0 and mark = ?').pluck()
  const decision = (mark.get('decisions') as number | undefined) ?? 0
  const part = mark.get('decisions.part') as number | undefined
  const begun = part === undefined ? decision : decision + 1
  const last = db.prepare('select decided_ms from decision where decision_no <= ? order by decision_no desc limit 1').pluck()
  const decidedMs = last.get(begun) as number | undefined
  return {
    within: { decisions: [0, begun], failures: [0, part ?? Number.MAX_SAFE_INTEGER] },
    beyond: { decisions: [decision + 1, Number.MAX_SAFE_INTEGER], failures: [(part ?? -1) + 1, Number.MAX_SAFE_INTEGER] },
    toMinute: decidedMs === undefined ? 0 : Math.floor(decidedMs / MINUTE_MS) + 1,
  }
}

interface SingleScope {
  projectNo: number
  fromMs: number
  toMs: number
  decisions: readonly [number, number]
  failures: readonly [number, number]
}

function* readSingles(
  db: SqliteDatabase,
  { projectNo, fromMs, toMs, decisions: [from, to], failures: [first, last] }: SingleScope,
): Generator<RolledFailure & { fingerprintNo: number }> {
  const rows = db.prepare(
    `select ${failureColumns('d.project_no')}
     from decision d cross join decided_failure f on f.failure_no between max(d.first_failure_no, ?) and min(d.last_failure_no, ?)
     where d.project_no = ? and d.decided_ms >= ? and d.decided_ms < ? and d.decision_no between ? and ?`,
  )
  for (const row of rows.iterate(first, last, projectNo, fromMs, toMs, from, to) as Iterable<FailureRow>)
    yield toRolledFailure(row)
}

/** Distinct traces and sessions of all these together, those of undecided failures among them. */
export function spreadOfParts(all: readonly PainParts[], open: readonly OpenPart[]): Spread {
  const traces = createDistinctCount()
  const sessions = createDistinctCount()
  for (const { rows, single } of all) {
    for (const row of rows) {
      traces.join(row.traces)
      sessions.join(row.sessions ?? row.traces)
    }
    for (const { traceBits, sessionNo } of single) {
      traces.add(traceBits)
      sessions.add(sessionBits(sessionNo, traceBits))
    }
  }
  for (const one of open) {
    traces.add(one.traceBits)
    sessions.add(one.sessionBits)
  }
  return { traces: traces.count(), sessions: sessions.count(), ...eventsOfParts(all) }
}

/** How many reached the root of their traces, and when they were. */
export function eventsOfParts(all: readonly PainParts[]): Omit<Spread, 'traces' | 'sessions'> {
  const events = { ended: 0, firstEventMs: Number.POSITIVE_INFINITY, lastEventMs: Number.NEGATIVE_INFINITY }
  const note = (ended: number, firstMs: number, lastMs: number) => {
    events.ended += ended
    events.firstEventMs = Math.min(events.firstEventMs, firstMs)
    events.lastEventMs = Math.max(events.lastEventMs, lastMs)
  }
  for (const { rows, single } of all) {
    for (const row of rows) note(row.ended, row.first_event_ms, row.last_event_ms)
    for (const { eventMs, hasEnded } of single) note(hasEnded ? 1 : 0, eventMs, eventMs)
  }
  return events
}

/** Failures that stand for all: the numbers of the last and the first by event time, and of some of any time by order of their traces. */
export function samplesOfParts(all: readonly PainParts[], samplesMax: number): number[] {
  const samples: Sample[] = []
  let first = { ms: Number.POSITIVE_INFINITY, no: 0 }
  let last = { ms: Number.NEGATIVE_INFINITY, no: 0 }
  const note = (firstMs: number, firstNo: number, lastMs: number, lastNo: number) => {
    if (firstMs < first.ms) first = { ms: firstMs, no: firstNo }
    if (lastMs > last.ms) last = { ms: lastMs, no: lastNo }
  }
  for (const { rows, single } of all) {
    for (const row of rows) {
      samples.push(...unpackSamples(row.samples))
      note(row.first_event_ms, row.first_no, row.last_event_ms, row.last_no)
    }
    for (const { failureNo, traceId, eventMs } of single) {
      samples.push({ order: orderOf(traceId), failureNo })
      note(eventMs, failureNo, eventMs, failureNo)
    }
  }
  const byOrder = samples.sort((a, b) => a.order - b.order || a.failureNo - b.failureNo).slice(0, samplesMax)
  return [...new Set([last.no, first.no, ...byOrder.map(({ failureNo }) => failureNo)])]
}

/** Numbers of the releases and of the lists of services that these failures name, and how many users they met. */
export function namedByParts(all: readonly PainParts[], openUsers: readonly string[]) {
  const releases = new Set<number>()
  const serviceLists = new Set<number>()
  const users = createDistinctCount()
  for (const { rows, single } of all) {
    for (const row of rows) {
      for (const no of unpackVarints(row.releases)) releases.add(no)
      for (const no of unpackVarints(row.service_lists)) serviceLists.add(no)
      if (row.users !== null) users.join(row.users)
    }
    for (const { releaseNo, serviceListNo, userBits } of single) {
      if (releaseNo !== 0) releases.add(releaseNo)
      if (serviceListNo !== 0) serviceLists.add(serviceListNo)
      if (userBits !== null) users.add(userBits)
    }
  }
  for (const user of openUsers) users.add(hashText(user))
  return { releases: [...releases], serviceLists: [...serviceLists], users: users.count() }
}
