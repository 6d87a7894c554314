import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type ComparedSides, compareSides } from '../domain/verification/compare-sides.ts'
import { type OperationRuns, type OperationWeights, operationWeights } from '../domain/verification/same-operations.ts'
import { activeMinutes, type SampledTraffic } from '../domain/verification/sampling.ts'
import { type ChangeSide, createSideOf, type PlacedRecord, type SeenVersion } from '../domain/verification/side-of.ts'
import type { MinuteCount } from '../domain/verification/traffic.ts'
import { type FailureRow, type RunRow, readFailures, readRuns, readSettledMinute } from './exposure-rows.ts'
import { type Judged, type JudgedSubject, readJudged } from './judged-failures.ts'
import { type OutlierExposure, readOutlierExposure } from './outlier-exposure.ts'
import { RELEASE_BEGAN_MS } from './release-began.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface ExposureQuestion extends Omit<JudgedSubject, 'settledMinute'> {
  change: { service: string | null; version: string | null; shippedAtMs: number }
}

export interface ExposureAnswer extends ComparedSides {
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
  const known = readJudged(connection, { ...question, settledMinute })
  const outlier = known.operations.size === 0 ? readOutlierExposure(connection, question) : null
  const judged = outlier === null ? known : judgedOutlier(known, outlier)
  const runs = outlier?.runs ?? readRuns(db, scope, judged.services)
  const ofJudged = runs.filter(({ operation_no }) => judged.operations.has(operation_no))
  const own = outlier?.failures ?? [...readFailures(db, scope, judged.fingerprints), ...judged.splitOff]
  const parent = judged.siblings === null ? null : readFailures(db, scope, judged.siblings)
  const any = judged.siblings === null ? own : readFailures(db, scope, fingerprintsOf(db, projectNo, judged.operations))
  const isSide = (side: 'before' | 'after') => (row: RunRow | FailureRow) => sideOf(row) === side
  const shippedMinute = Math.floor(change.shippedAtMs / MINUTE_MS)
  const total = (rows: RunRow[]) => rows.reduce((sum, row) => sum + row.runs, 0)
  return {
    ...compareRows({ runs: ofJudged, own, parent, isSide }),
    sampling: sampledSides(ofJudged, any, isSide),
    serviceRunsAfter: total(runs.filter(isSide('after'))),
    oldVersionRunsAfter: total(ofJudged.filter((row) => row.event_minute > shippedMinute && sideOf(row) === 'before')),
    versions: readVersions(db, ofJudged),
    ...{ parentKeys: judged.parentKeys, isRegrouped: judged.isRegrouped, settledMinute },
  }
}

/** Nothing but its own runs says of it whether it moved elsewhere. */
function judgedOutlier(known: Judged, { operationNo, service, parentKey }: OutlierExposure): Judged {
  return { ...known, operations: new Set([operationNo]), services: [service], siblings: null, parentKeys: [parentKey] }
}

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

interface Rows {
  runs: RunRow[]
  own: FailureRow[]
  parent: FailureRow[] | null
  isSide(side: 'before' | 'after'): (row: RunRow | FailureRow) => boolean
}

function compareRows({ runs, own, parent, isSide }: Rows): ComparedSides {
  const weights = operationWeights(runsByOperation(runs, isSide))
  const unweighed = () => 1
  const inCommon = (row: RunRow | FailureRow) => (weights === null || weightOf(weights, row) ? 1 : 0)
  const minutes = (failures: FailureRow[], side: 'before' | 'after', weigh: Weigh) =>
    countMinutes(runs.filter(isSide(side)), failures.filter(isSide(side)), weigh)
  const sides = (failures: FailureRow[], isWeighed: boolean) => {
    const weigh = (side: 'before' | 'after') =>
      weights && isWeighed ? (row: RunRow | FailureRow) => weightOf(weights, row)?.[side] ?? 0 : unweighed
    return { before: minutes(failures, 'before', weigh('before')), after: minutes(failures, 'after', weigh('after')) }
  }
  return compareSides({
    own: sides(own, false),
    weighed: weights && {
      own: sides(own, true),
      parent: parent && sides(parent, true),
      before: minutes(own, 'before', inCommon),
    },
    parent: parent && sides(parent, false),
  })
}

function weightOf(weights: OperationWeights, { operation_no }: RunRow | FailureRow) {
  return operation_no === null ? weights.values().next().value : weights.get(operation_no)
}

function runsByOperation(runs: readonly RunRow[], isSide: Rows['isSide']): OperationRuns[] {
  const found = new Map<number, OperationRuns>()
  for (const side of ['before', 'after'] as const) {
    const isThis = isSide(side)
    for (const row of runs) {
      if (!isThis(row)) continue
      const one = found.get(row.operation_no) ?? { operation: row.operation_no, before: 0, after: 0 }
      found.set(row.operation_no, one)
      one[side] += row.runs
    }
  }
  return [...found.values()]
}

type Weigh = (row: RunRow | FailureRow) => number

/** In order of time; what weighs nothing is left out. */
function countMinutes(runs: RunRow[], failures: FailureRow[], weigh: Weigh): MinuteCount[] {
  const minutes = new Map<number, MinuteCount>()
  const add = (row: RunRow | FailureRow, more: Omit<MinuteCount, 'minute'>) => {
    const weight = weigh(row)
    if (weight === 0) return
    const minute = minutes.get(row.event_minute) ?? { minute: row.event_minute, runs: 0, failures: 0, failuresSquared: 0 }
    minutes.set(row.event_minute, minute)
    minute.runs += more.runs * weight
    minute.failures += more.failures * weight
    minute.failuresSquared += more.failuresSquared * weight ** 2
  }
  for (const row of runs) add(row, { runs: row.runs, failures: 0, failuresSquared: 0 })
  for (const row of failures) add(row, { runs: 0, failures: row.weight, failuresSquared: row.weight_squared })
  return [...minutes.values()].sort((a, b) => a.minute - b.minute)
}

function readVersions(db: SqliteDatabase, rows: RunRow[]): string[] {
  const name = db.prepare('select release from release where release_no = ?').pluck()
  const numbers = new Set(rows.map(({ release_no }) => release_no))
  numbers.delete(0)
  const names = [...numbers].map((number) => name.get(number) as string | undefined).filter((release) => release !== undefined)
  return [...new Set(names)].sort().slice(0, VERSIONS_MAX)
}
