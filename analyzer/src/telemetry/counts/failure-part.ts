import { createDistinctCount, type DistinctCount } from '@loopkit/shared/rollup/distinct-count'
import { type PainRollupRow, type RolledFailure, sessionBits } from '@loopkit/shared/rollup/pain-rollup'
import { orderOf, type Sample, unpackSamples } from '@loopkit/shared/rollup/samples'
import { unpackVarints } from '@loopkit/shared/rollup/varints'

/** Decided failures of one fingerprint in some hours, days or minutes, added up. */
export interface FailurePart {
  failures: number
  ended: number
  first: Moment
  last: Moment
  /** Distinct counts, as they are written. */
  traces: Uint8Array
  sessions: Uint8Array
  users: Uint8Array | null
  releases: readonly number[]
  serviceLists: readonly number[]
  /** In their order; more than any question asks for. */
  samples: readonly Sample[]
  /** Numbers of failures whose users are not among `users`. */
  usersOf: readonly number[]
}

/** When a failure was, and its number. */
export interface Moment {
  ms: number
  no: number
}

/** Most failures that one pain is compared by. */
const SAMPLES_MAX = 256

/** Rows of the same fingerprint make one part. */
export function joinRows(rows: Iterable<PainRollupRow & { fingerprint_no: number }>): Map<number, FailurePart> {
  const byFingerprint = Map.groupBy(rows, ({ fingerprint_no }) => fingerprint_no)
  return new Map(
    [...byFingerprint].map(([fingerprintNo, own]) => [fingerprintNo, own.length === 1 ? partOf(own[0]!) : joinAll(own)]),
  )
}

function partOf(row: PainRollupRow): FailurePart {
  return {
    failures: row.failures,
    ended: row.ended,
    first: { ms: row.first_event_ms, no: row.first_no },
    last: { ms: row.last_event_ms, no: row.last_no },
    traces: row.traces,
    sessions: row.sessions ?? row.traces,
    users: row.users,
    releases: unpackVarints(row.releases),
    serviceLists: unpackVarints(row.service_lists),
    samples: unpackSamples(row.samples),
    usersOf: [],
  }
}

function joinAll(rows: readonly PainRollupRow[]): FailurePart {
  const joining = createJoining()
  const users = createDistinctCount()
  for (const row of rows) {
    const part = partOf(row)
    joining.note(part)
    joining.traces.join(part.traces)
    joining.sessions.join(part.sessions)
    if (part.users !== null) users.join(part.users)
    joining.samples.push(...part.samples)
    for (const no of part.releases) joining.releases.add(no)
    for (const no of part.serviceLists) joining.serviceLists.add(no)
  }
  return { ...joining.part(), users: users.toBytes(), usersOf: [] }
}

/** Failures one by one, made one part for each fingerprint. */
export function joinSingles(failures: Iterable<RolledFailure & { fingerprintNo: number }>): Map<number, FailurePart> {
  const byFingerprint = Map.groupBy(failures, ({ fingerprintNo }) => fingerprintNo)
  return new Map(
    [...byFingerprint].map(([fingerprintNo, own]) => {
      const joining = createJoining()
      for (const { failureNo, eventMs, hasEnded, traceId, traceBits, sessionNo, releaseNo, serviceListNo } of own) {
        const moment = { ms: eventMs, no: failureNo }
        joining.note({ failures: 1, ended: hasEnded ? 1 : 0, first: moment, last: moment })
        joining.traces.add(traceBits)
        joining.sessions.add(sessionBits(sessionNo, traceBits))
        joining.samples.push({ order: orderOf(traceId), failureNo })
        if (releaseNo !== 0) joining.releases.add(releaseNo)
        if (serviceListNo !== 0) joining.serviceLists.add(serviceListNo)
      }
      return [fingerprintNo, { ...joining.part(), users: null, usersOf: own.map(({ failureNo }) => failureNo) }]
    }),
  )
}

interface Joining {
  traces: DistinctCount
  sessions: DistinctCount
  samples: Sample[]
  releases: Set<number>
  serviceLists: Set<number>
  note(part: Pick<FailurePart, 'failures' | 'ended' | 'first' | 'last'>): void
  part(): Omit<FailurePart, 'users' | 'usersOf'>
}

function createJoining(): Joining {
  const [traces, sessions] = [createDistinctCount(), createDistinctCount()]
  const samples: Sample[] = []
  const [releases, serviceLists] = [new Set<number>(), new Set<number>()]
  const moments = createMoments()
  const sum = { failures: 0, ended: 0 }
  return {
    ...{ traces, sessions, samples, releases, serviceLists },
    note({ failures, ended, first, last }) {
      sum.failures += failures
      sum.ended += ended
      moments.note(first, last)
    },
    part: () => ({
      ...sum,
      ...moments.found,
      traces: traces.toBytes(),
      sessions: sessions.toBytes(),
      samples: firstSamples(samples, SAMPLES_MAX),
      releases: [...releases],
      serviceLists: [...serviceLists],
    }),
  }
}

/** The first and the last of all that are noted; of those at the same time the one that was decided first. */
export function createMoments() {
  const found = { first: { ms: Number.POSITIVE_INFINITY, no: 0 }, last: { ms: Number.NEGATIVE_INFINITY, no: 0 } }
  return {
    found,
    note(first: Moment, last: Moment = first) {
      if (first.ms < found.first.ms || (first.ms === found.first.ms && first.no < found.first.no)) found.first = first
      if (last.ms > found.last.ms || (last.ms === found.last.ms && last.no < found.last.no)) found.last = last
    },
  }
}

/** By the random part of their trace ids. */
export function firstSamples(samples: readonly Sample[], most: number): Sample[] {
  return samples.toSorted((a, b) => a.order - b.order || a.failureNo - b.failureNo).slice(0, most)
}

const PART_BYTES = 600
const SAMPLE_BYTES = 40

/** What parts take in memory. */
export function bytesOf(parts: ReadonlyMap<number, FailurePart>): number {
  let bytes = 0
  for (const { traces, sessions, samples, releases, serviceLists, usersOf } of parts.values()) {
    bytes += PART_BYTES + traces.length + sessions.length + SAMPLE_BYTES * samples.length
    bytes += 8 * (releases.length + serviceLists.length + usersOf.length)
  }
  return bytes
}
