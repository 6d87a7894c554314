import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type Compared, type Control, chooseControl, compareBy } from '../domain/verification/control.ts'
import { strongestShift } from '../domain/verification/rate-shift.ts'
import { activeMinutes, type SampledTraffic } from '../domain/verification/sampling.ts'
import { type ChangeSide, createSideOf, type PlacedRecord, type SeenVersion } from '../domain/verification/side-of.ts'
import { type MinuteCount, type Traffic, toTraffic } from '../domain/verification/traffic.ts'
import { type FailureRow, type RunRow, readFailures, readRuns, readSettledMinute } from './exposure-rows.ts'
import { type JudgedSubject, readJudged } from './judged-failures.ts'
import { RELEASE_BEGAN_MS } from './release-began.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface ExposureQuestion extends Omit<JudgedSubject, 'settledMinute'> {
  change: { service: string | null; version: string | null; shippedAtMs: number }
}

/** Failures over runs on one side of a change. Sampled spans count as what they stand for. */
export interface Side extends Traffic {
  /** Event minutes of the first and the last run; null without runs. */
  fromMinute: number | null
  toMinute: number | null
}

export interface ExposureAnswer {
  before: Side
  after: Side
  /** What is compared where all of before would mislead; null where it would not. */
  control: { kind: Control['kind']; before: Side; after: Side; compared: Compared } | null
  /** As it is compared, with every failure that differs only in words or stack; null where no single pain was asked for. */
  parent: Compared | null
  /** What was after the change until its rate rose, and since; null where it did not rise. */
  rise: { held: Side; since: Side } | null
  /** How the records of both sides came, with failures of any kind. */
  sampling: { before: SampledTraffic; after: SampledTraffic }
  /** Runs of anything in the service after the change: is there traffic at all? */
  serviceRunsAfter: number
  /** Runs by event time after the change that carry an older version. */
  oldVersionRunsAfter: number
  /** Versions of the judged operations, both sides. */
  versions: string[]
  /** Hex: what the failures have in common beyond their words. */
  parentKeys: string[]
  /** First minute of arrival that still has an undecided trace; nothing from it on was read. */
  settledMinute: number
  /** Failures of the pain were grouped otherwise in a part of the window. */
  isRegrouped: boolean
}

const VERSIONS_MAX = 50
const MINUTE_MS = 60_000

/** What the traffic before and after a change shows. Records are sorted by themselves: by their release, else by event time. */
export function answerExposure(connection: TelemetryConnection, question: ExposureQuestion): ExposureAnswer {
  const { db } = connection
  const { projectNo, window, change } = question
  const settledMinute = readSettledMinute(db, projectNo, window)
  const scope = { projectNo, window, settledMinute }
  const sideOf = readSideOf(db, question)
  const judged = readJudged(connection, { ...question, settledMinute })
  const runs = readRuns(db, scope, judged.services)
  const ofJudged = runs.filter(({ operation_no }) => judged.operations.has(operation_no))
  const own = [...readFailures(db, scope, judged.fingerprints), ...judged.splitOff]
  const parent = judged.siblings === null ? null : readFailures(db, scope, judged.siblings)
  const any = judged.siblings === null ? own : readFailures(db, scope, fingerprintsOf(db, projectNo, judged.operations))
  const isSide = (side: 'before' | 'after') => (row: RunRow | FailureRow) => sideOf(row) === side
  const sides = (rows: FailureRow[]) => ({
    before: countMinutes(ofJudged, rows, isSide('before')),
    after: countMinutes(ofJudged, rows, isSide('after')),
  })
  const shippedMinute = Math.floor(change.shippedAtMs / MINUTE_MS)
  const total = (rows: RunRow[]) => rows.reduce((sum, row) => sum + row.runs, 0)
  return {
    ...compare(sides(own), parent && sides(parent)),
    sampling: sampledSides(ofJudged, any, isSide),
    serviceRunsAfter: total(runs.filter(isSide('after'))),
    oldVersionRunsAfter: total(ofJudged.filter((row) => row.event_minute > shippedMinute && sideOf(row) === 'before')),
    versions: readVersions(db, ofJudged),
    ...{ parentKeys: judged.parentKeys, isRegrouped: judged.isRegrouped, settledMinute },
  }
}

interface Minutes {
  before: MinuteCount[]
  after: MinuteCount[]
}

function compare(own: Minutes, parent: Minutes | null): Pick<ExposureAnswer, 'before' | 'after' | 'control' | 'parent' | 'rise'> {
  const control = chooseControl(own.before, own.after)
  const [before, after] = [toSide(own.before), toSide(own.after)]
  const shift = control?.kind === 'same_time' ? null : strongestShift(own.after)
  return {
    ...{ before, after },
    control: control && showControl(control, own),
    parent: parent && (control ? compareBy(control, parent.before, parent.after) : toSides(parent)),
    rise: shift?.isRise
      ? {
          held: toSide(own.after.filter(({ minute }) => minute < shift.minute)),
          since: toSide(own.after.filter(({ minute }) => minute >= shift.minute)),
        }
      : null,
  }
}

/** With the records as they came beside what is compared. */
function showControl(control: Control, own: Minutes): NonNullable<ExposureAnswer['control']> {
  const compared = compareBy(control, own.before, own.after)
  const [fromMinute, toMinute] =
    control.kind === 'same_time' ? [control.bounds[0]!, control.bounds.at(-1)!] : [control.fromMinute, control.toMinute]
  const before = own.before.filter(({ minute }) => minute >= fromMinute && minute < toMinute)
  return { kind: control.kind, before: toSide(before), after: toSide(own.after), compared }
}

const toSides = ({ before, after }: Minutes) => ({ before: toTraffic(before), after: toTraffic(after) })

type SideOf = (row: RunRow | FailureRow) => ChangeSide

/** Where a change names a version but no service, those that had it are meant; else that of the pain, which has yet to have it. */
function readSideOf(db: SqliteDatabase, { projectNo, change, service }: ExposureQuestion): SideOf {
  const byTime = createSideOf({ ...change, version: null }, [])
  const byRelease = new Map<number, (record: PlacedRecord) => ChangeSide>()
  if (change.version !== null) {
    const having = db
      .prepare('select distinct service from release where project_no = ? and release = ? order by service')
      .pluck()
    const seen = change.service === null ? (having.all(projectNo, change.version) as string[]) : [change.service]
    const read = db.prepare(
      `select release_no as releaseNo, release, first_seen_ms as firstSeenMs, ${RELEASE_BEGAN_MS} as beganMs
       from release where project_no = ? and service = ?`,
    )
    for (const name of seen.length > 0 ? seen : [service]) {
      const versions = read.all(projectNo, name) as SeenVersion[]
      const sideOf = createSideOf(change, versions)
      for (const { releaseNo } of versions) byRelease.set(releaseNo, sideOf)
    }
  }
  return ({ event_minute, release_no }) =>
    (byRelease.get(release_no) ?? byTime)({ eventMinute: event_minute, releaseNo: release_no })
}

function fingerprintsOf(db: SqliteDatabase, projectNo: number, operations: ReadonlySet<number>): number[] {
  const find = db.prepare(
    'select fingerprint_no from fingerprint where project_no = ? and operation_no in (select value from json_each(?))',
  )
  return find.pluck().all(projectNo, JSON.stringify([...operations])) as number[]
}

function sampledSides(
  runs: RunRow[],
  failures: FailureRow[],
  isSide: (side: 'before' | 'after') => (row: RunRow | FailureRow) => boolean,
) {
  const own = { before: runs.filter(isSide('before')), after: runs.filter(isSide('after')) }
  const minutesOf = (rows: RunRow[]) => rows.map(({ event_minute, spans }) => ({ minute: event_minute, spans }))
  const [before, after] = activeMinutes([minutesOf(own.before), minutesOf(own.after)])
  const sampled = (side: 'before' | 'after', minutes: number): SampledTraffic => ({
    spans: own[side].reduce((sum, row) => sum + row.spans, 0),
    runs: own[side].reduce((sum, row) => sum + row.runs, 0),
    failures: failures.filter(isSide(side)).reduce((sum, row) => sum + row.weight, 0),
    minutes,
  })
  return { before: sampled('before', before!), after: sampled('after', after!) }
}

/** In order of time. */
function countMinutes(runs: RunRow[], failures: FailureRow[], isSide: (row: RunRow | FailureRow) => boolean): MinuteCount[] {
  const minutes = new Map<number, MinuteCount>()
  const minuteOf = (minute: number) => {
    const found = minutes.get(minute) ?? { minute, runs: 0, failures: 0, failuresSquared: 0 }
    minutes.set(minute, found)
    return found
  }
  for (const row of runs) if (isSide(row)) minuteOf(row.event_minute).runs += row.runs
  for (const row of failures) {
    if (!isSide(row)) continue
    const minute = minuteOf(row.event_minute)
    minute.failures += row.weight
    minute.failuresSquared += row.weight_squared
  }
  return [...minutes.values()].sort((a, b) => a.minute - b.minute)
}

function toSide(minutes: readonly MinuteCount[]): Side {
  const ran = minutes.filter(({ runs }) => runs > 0)
  return { ...toTraffic(minutes), fromMinute: ran[0]?.minute ?? null, toMinute: ran.at(-1)?.minute ?? null }
}

function readVersions(db: SqliteDatabase, rows: RunRow[]): string[] {
  const name = db.prepare('select release from release where release_no = ?').pluck()
  const numbers = new Set(rows.map(({ release_no }) => release_no))
  numbers.delete(0)
  const names = [...numbers].map((number) => name.get(number) as string | undefined).filter((release) => release !== undefined)
  return [...new Set(names)].sort().slice(0, VERSIONS_MAX)
}
