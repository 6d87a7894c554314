import { createDistinctCount, type DistinctCount, spreadBits } from './distinct-count.ts'
import { joinSamples, orderOf, packSamples, type Sample, unpackSamples } from './samples.ts'
import { packVarints, unpackVarints } from './varints.ts'

/** One decided failure as a rollup needs it. */
export interface RolledFailure {
  failureNo: number
  traceId: Uint8Array
  /** The upper half of the trace's hash, which is as random as the lower. */
  traceBits: number
  /** 0: the trace stands for itself. */
  sessionNo: number
  releaseNo: number
  serviceListNo: number
  eventMs: number
  hasEnded: boolean
  /** Hash of the user's name; null where no span names one. */
  userBits: number | null
}

/** A row of pain_rollup. */
export interface PainRollupRow {
  failures: number
  ended: number
  first_event_ms: number
  last_event_ms: number
  first_no: number
  last_no: number
  traces: Uint8Array
  sessions: Uint8Array | null
  users: Uint8Array | null
  releases: Uint8Array
  service_lists: Uint8Array
  samples: Uint8Array
}

/**
 * Failures of one fingerprint, added one by one or by rows of what was added before. What it says does not depend on order or on how
 * they were divided; only adding the same failure twice shows, in the number of failures.
 */
export interface PainRollup {
  add(failure: RolledFailure): void
  join(row: PainRollupRow): void
  toRow(): PainRollupRow
}

/** Releases and lists of services that are named; the first by number. */
const NAMED_MAX = 200

interface Totals {
  failures: number
  ended: number
  first: Moment
  last: Moment
  traces: DistinctCount
  sessions: DistinctCount
  users: DistinctCount
  releases: Set<number>
  serviceLists: Set<number>
  samples: Sample[]
}

/** Of failures at the same time the one that was decided first. */
interface Moment {
  ms: number
  no: number
}

export function createPainRollup(): PainRollup {
  const totals: Totals = {
    ...{ failures: 0, ended: 0 },
    first: { ms: Number.POSITIVE_INFINITY, no: 0 },
    last: { ms: Number.NEGATIVE_INFINITY, no: 0 },
    ...{ traces: createDistinctCount(), sessions: createDistinctCount(), users: createDistinctCount() },
    ...{ releases: new Set(), serviceLists: new Set(), samples: [] },
  }
  let hasSessions = false
  return {
    add(failure) {
      if (failure.sessionNo !== 0) hasSessions = true
      addFailure(totals, failure)
    },
    join(row) {
      if (row.sessions !== null) hasSessions = true
      joinRow(totals, row)
    },
    toRow: () => toRow(totals, hasSessions),
  }
}

function addFailure(totals: Totals, failure: RolledFailure): void {
  const { failureNo, eventMs, traceBits, sessionNo, releaseNo, serviceListNo, userBits } = failure
  totals.failures += 1
  if (failure.hasEnded) totals.ended += 1
  note(totals, { ms: eventMs, no: failureNo }, { ms: eventMs, no: failureNo })
  totals.traces.add(traceBits)
  totals.sessions.add(sessionBits(sessionNo, traceBits))
  if (userBits !== null) totals.users.add(userBits)
  if (releaseNo !== 0) totals.releases.add(releaseNo)
  if (serviceListNo !== 0) totals.serviceLists.add(serviceListNo)
  totals.samples.push({ order: orderOf(failure.traceId), failureNo })
}

/** What a session counts as; one without a name as its trace. */
export function sessionBits(sessionNo: number, traceBits: number): number {
  return sessionNo === 0 ? traceBits : spreadBits(sessionNo)
}

function joinRow(totals: Totals, row: PainRollupRow): void {
  totals.failures += row.failures
  totals.ended += row.ended
  note(totals, { ms: row.first_event_ms, no: row.first_no }, { ms: row.last_event_ms, no: row.last_no })
  totals.traces.join(row.traces)
  totals.sessions.join(row.sessions ?? row.traces)
  if (row.users !== null) totals.users.join(row.users)
  for (const no of unpackVarints(row.releases)) totals.releases.add(no)
  for (const no of unpackVarints(row.service_lists)) totals.serviceLists.add(no)
  totals.samples.push(...unpackSamples(row.samples))
}

function note(totals: Totals, first: Moment, last: Moment): void {
  const isEarlier = first.ms < totals.first.ms || (first.ms === totals.first.ms && first.no < totals.first.no)
  const isLater = last.ms > totals.last.ms || (last.ms === totals.last.ms && last.no < totals.last.no)
  if (isEarlier) totals.first = first
  if (isLater) totals.last = last
}

function toRow(totals: Totals, hasSessions: boolean): PainRollupRow {
  const { failures, ended, first, last, traces, sessions, users } = totals
  return {
    ...{ failures, ended },
    ...{ first_event_ms: first.ms, last_event_ms: last.ms, first_no: first.no, last_no: last.no },
    traces: traces.toBytes(),
    sessions: hasSessions ? sessions.toBytes() : null,
    users: users.count() > 0 ? users.toBytes() : null,
    releases: packNumbers(totals.releases),
    service_lists: packNumbers(totals.serviceLists),
    samples: packSamples(joinSamples(totals.samples)),
  }
}

function packNumbers(numbers: ReadonlySet<number>): Uint8Array {
  return packVarints([...numbers].sort((a, b) => a - b).slice(0, NAMED_MAX))
}
