import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { coverWindow, type Range } from '@loopkit/shared/rollup/cover-window'
import { createDistinctCount, hashText } from '@loopkit/shared/rollup/distinct-count'
import { FAILURE_COLUMNS, type FailureRow, toRolledFailure, userColumn } from '@loopkit/shared/rollup/failure-row'
import { type PainRollupRow, type RolledFailure, sessionBits } from '@loopkit/shared/rollup/pain-rollup'
import { orderOf, type Sample } from '@loopkit/shared/rollup/samples'
import { type MinuteWindow, windowBoundsMs } from '../../domain/window.ts'
import { memoryOf, type ReadMemory } from '../read-memory.ts'
import { divideByClosed } from './closed-buckets.ts'
import { bytesOf, createMoments, type FailurePart, firstSamples, joinRows, joinSingles } from './failure-part.ts'
import { readStaleHours, type StaleHours } from './stale-hours.ts'

/** Decided failures of one fingerprint in a window: most of them by hours and days, the others one by one. */
export interface PainParts {
  rows: FailurePart[]
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
const HOUR_MINUTES = 60
/** A day's and what lies at its edges, of some thousand pains. */
const FAILURE_PARTS = memoryOf<ReadonlyMap<number, FailurePart>>('failure parts', 8)

/**
 * All decided failures of a window, by fingerprint. Hours and days that are over, and minutes of such, are remembered, unless a failure
 * was taken back: then they are made anew, and a number says how often that was.
 */
export function readPainParts(
  { db, memory }: { db: SqliteDatabase; memory: ReadMemory },
  projectNo: number,
  window: MinuteWindow,
): Map<number, PainParts> {
  const found = new Map<number, PainParts>()
  const partsOf = (fingerprintNo: number): PainParts => {
    const parts = found.get(fingerprintNo) ?? { rows: [], single: [] }
    found.set(fingerprintNo, parts)
    return parts
  }
  const addRows = (parts: ReadonlyMap<number, FailurePart>) => {
    for (const [fingerprintNo, part] of parts) partsOf(fingerprintNo).rows.push(part)
  }
  const rolled = rolledDecisions(db)
  const mended = readMended(db, projectNo)
  const closedParts = (name: string, range: Range, read: () => Map<number, FailurePart>) => {
    const key = `${projectNo} ${name} ${range[0]} ${range[1]} ${mended}`
    const known = mended === null ? undefined : memory.take(FAILURE_PARTS).recall(key)
    const parts = known ?? read()
    if (mended !== null && !known) memory.take(FAILURE_PARTS).keep(key, parts, bytesOf(parts))
    return parts
  }
  const { wide, minutes } = coverWindow(window.fromMinute, window.toMinute, rolled.toMinute)
  const overMinute = rolled.toMinute - 1
  const stale = readStaleHours(db, projectNo)
  const decided = (range: Range) =>
    readSingles(db, { projectNo, fromMs: range[0] * MINUTE_MS, toMs: range[1] * MINUTE_MS, ...rolled.within })
  for (const { minutes: width, from, to } of wide) {
    const oldest = db.prepare('select min(bucket) from pain_rollup where project_no = ? and minutes = ?').pluck()
    const kept = { from: (oldest.get(projectNo, width) as number | null) ?? to, to: Math.floor(overMinute / width) }
    const { closed, open } = divideByClosed([from, to], kept)
    if (closed) addRows(closedParts(String(width), closed, () => readWide(db, projectNo, { width, range: closed, stale })))
    for (const range of open) addRows(readWide(db, projectNo, { width, range, stale }))
    for (const [hour, fingerprintNos] of stale.within(width, [from, to])) {
      const left = [...decided([hour * HOUR_MINUTES, (hour + 1) * HOUR_MINUTES])]
      addRows(joinSingles(left.filter(({ fingerprintNo }) => fingerprintNos.has(fingerprintNo))))
    }
  }
  for (const range of minutes) {
    if (range[1] > rolled.toMinute) continue
    const read = () => joinSingles(decided(range))
    addRows(range[1] <= overMinute ? closedParts('1', range, read) : read())
  }
  const { fromMs, toMs } = windowBoundsMs(window)
  const since = { projectNo, fromMs, toMs, ...rolled.beyond }
  for (const { fingerprintNo, ...failure } of readSingles(db, since)) partsOf(fingerprintNo).single.push(failure)
  return found
}

/** How often failures were taken back from what is added up; null while one still is to be. */
function readMended(db: SqliteDatabase, projectNo: number): number | null {
  const isStale = db.prepare('select 1 from stale_rollup where project_no = ? limit 1').pluck().get(projectNo) !== undefined
  const times = db.prepare("select up_to from rolled_up where project_no = ? and mark = 'mended'").pluck()
  return isStale ? null : ((times.get(projectNo) as number | undefined) ?? 0)
}

interface Wide {
  width: number
  range: Range
  stale: StaleHours
}

type WideRow = PainRollupRow & { fingerprint_no: number; bucket: number }

function readWide(db: SqliteDatabase, projectNo: number, wide: Wide): Map<number, FailurePart> {
  return joinRows(soundRows(db, projectNo, wide))
}

/** A day with an hour that is to be made anew is told by its other hours. */
function* soundRows(db: SqliteDatabase, projectNo: number, { width, range, stale }: Wide): Generator<WideRow> {
  const select = `select fingerprint_no, bucket, failures, ended, first_event_ms, last_event_ms, first_no, last_no, traces, sessions, users,
    releases, service_lists, samples from pain_rollup where project_no = ? and minutes = ? and bucket >= ? and bucket < ?`
  const broken: WideRow[] = []
  for (const row of db.prepare(select).iterate(projectNo, width, ...range) as Iterable<WideRow>) {
    if (stale.isIn(width, row.bucket, row.fingerprint_no)) broken.push(row)
    else yield row
  }
  if (width === HOUR_MINUTES) return
  const hours = db.prepare(`${select} and fingerprint_no = ?`)
  for (const { bucket, fingerprint_no } of broken) {
    const of = [(bucket * width) / HOUR_MINUTES, ((bucket + 1) * width) / HOUR_MINUTES]
    for (const row of hours.iterate(projectNo, HOUR_MINUTES, ...of, fingerprint_no) as Iterable<WideRow>)
      if (!stale.isIn(HOUR_MINUTES, row.bucket, fingerprint_no)) yield row
  }
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
    `select ${FAILURE_COLUMNS}, null as user
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
      sessions.join(row.sessions)
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
    for (const { ended, first, last } of rows) note(ended, first.ms, last.ms)
    for (const { eventMs, hasEnded } of single) note(hasEnded ? 1 : 0, eventMs, eventMs)
  }
  return events
}

/** Failures that stand for all: the numbers of the last and the first by event time, and of some of any time by order of their traces. */
export function samplesOfParts(all: readonly PainParts[], samplesMax: number): number[] {
  const samples: Sample[] = []
  const moments = createMoments()
  for (const { rows, single } of all) {
    for (const row of rows) {
      samples.push(...row.samples)
      moments.note(row.first, row.last)
    }
    for (const { failureNo, traceId, eventMs } of single) {
      samples.push({ order: orderOf(traceId), failureNo })
      moments.note({ ms: eventMs, no: failureNo })
    }
  }
  const { first, last } = moments.found
  return [...new Set([last.no, first.no, ...firstSamples(samples, samplesMax).map(({ failureNo }) => failureNo)])]
}

/** Numbers of the releases and of the lists of services that these failures name. */
export function numbersNamed(all: readonly PainParts[]): { releases: number[]; serviceLists: number[] } {
  const releases = new Set<number>()
  const serviceLists = new Set<number>()
  for (const { rows, single } of all) {
    for (const row of rows) {
      for (const no of row.releases) releases.add(no)
      for (const no of row.serviceLists) serviceLists.add(no)
    }
    for (const { releaseNo, serviceListNo } of single) {
      if (releaseNo !== 0) releases.add(releaseNo)
      if (serviceListNo !== 0) serviceLists.add(serviceListNo)
    }
  }
  return { releases: [...releases], serviceLists: [...serviceLists] }
}

/** How many users these failures met. */
export function usersOfParts(db: SqliteDatabase, all: readonly PainParts[], openUsers: readonly string[]): number {
  const users = createDistinctCount()
  for (const { rows } of all) for (const row of rows) if (row.users !== null) users.join(row.users)
  const unread = all.flatMap(({ rows, single }) => [
    ...rows.flatMap(({ usersOf }) => usersOf),
    ...single.map(({ failureNo }) => failureNo),
  ])
  for (const user of [...openUsers, ...readUsers(db, unread)]) users.add(hashText(user))
  return users.count()
}

/** Late spans may still name a user, so users of single failures are not kept with them. */
function readUsers(db: SqliteDatabase, numbers: readonly number[]): string[] {
  if (numbers.length === 0) return []
  const users = db.prepare(
    `select ${userColumn('p.project_no')} from decided_failure f join fingerprint p using (fingerprint_no)
     where f.failure_no in (select value from json_each(?))`,
  )
  const found = users.pluck().all(JSON.stringify(numbers)) as (string | null)[]
  return found.filter((user) => user !== null)
}
