import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type ComparedSides, compareSides } from '../../domain/verification/compare-sides.ts'
import { type OperationRuns, type OperationWeights, operationWeights } from '../../domain/verification/same-operations.ts'
import { activeMinutes, type SampledTraffic } from '../../domain/verification/sampling.ts'
import { type ChangeSide, createSideOf, type PlacedRecord, type SeenVersion } from '../../domain/verification/side-of.ts'
import type { MinuteCount } from '../../domain/verification/traffic.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { createRows, type ExposureRows, type FailureRow, type RunRow, readSettledMinute } from './exposure-rows.ts'
import { type Judged, type JudgedSubject, readJudged } from './judged-failures.ts'
import { type OutlierExposure, readOutlierExposure } from './outlier-exposure.ts'
import { RELEASE_BEGAN_MS } from './release-began.ts'
import { createSharedRows } from './shared-exposure-rows.ts'

export interface ExposureQuestion extends Omit<JudgedSubject, 'settledMinute'> {
  /** `isRelease`: its version is one that records carry; that of a prompt or a model is not. */
  change: { service: string | null; version: string | null; isRelease: boolean; shippedAtMs: number }
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
  const { projectNo, window } = question
  const settledMinute = readSettledMinute(connection.db, projectNo, window)
  const known = readJudged(connection, { ...question, settledMinute })
  return exposureOf(connection, question, {
    ...{ settledMinute, known },
    rows: createRows(connection.db, { projectNo, window, settledMinute }),
  })
}

export interface ExposuresQuestion extends Omit<ExposureQuestion, 'fingerprints' | 'service'> {
  subjects: readonly Pick<ExposureQuestion, 'fingerprints' | 'service'>[]
}

/** The same of many pains, as of one moment, in their order. */
export function answerExposures(connection: TelemetryConnection, { subjects, ...question }: ExposuresQuestion): ExposureAnswer[] {
  const [only] = subjects
  if (only === undefined || subjects.length === 1) return only ? [answerExposure(connection, { ...question, ...only })] : []
  const { projectNo, window } = question
  const settledMinute = readSettledMinute(connection.db, projectNo, window)
  const judged = subjects.map((subject) => readJudged(connection, { ...question, ...subject, settledMinute }))
  const rows = createSharedRows(connection.db, { projectNo, window, settledMinute }, judged)
  return subjects.map((subject, at) =>
    exposureOf(connection, { ...question, ...subject }, { settledMinute, known: judged[at]!, rows }),
  )
}

interface ExposureSources {
  settledMinute: number
  known: Judged
  rows: ExposureRows
}

function exposureOf(
  connection: TelemetryConnection,
  question: ExposureQuestion,
  { settledMinute, known, rows }: ExposureSources,
): ExposureAnswer {
  const { db } = connection
  const { projectNo, change } = question
  const sideOf = readSideOf(db, question)
  const outlier = known.operations.size === 0 ? readOutlierExposure(connection, question) : null
  const judged = outlier === null ? known : judgedOutlier(known, outlier)
  const { ofJudged, ofServices: runs } = outlier ? { ofJudged: outlier.runs, ofServices: outlier.runs } : rows.runs(judged)
  const own = outlier?.failures ?? [...rows.failures(judged.fingerprints), ...judged.splitOff]
  const parent = judged.siblings === null ? null : rows.failures(judged.siblings)
  const any = judged.siblings === null ? own : rows.failures(fingerprintsOf(db, projectNo, judged.operations))
  const split = createSplit(sideOf)
  const sides = { runs: split(ofJudged), own: split(own), parent: parent && split(parent) }
  const shippedMinute = Math.floor(change.shippedAtMs / MINUTE_MS)
  const total = (rows: RunRow[]) => rows.reduce((sum, row) => sum + row.runs, 0)
  return {
    ...compareRows(sides),
    sampling: sampledSides(sides.runs, any === own ? sides.own : split(any)),
    serviceRunsAfter: total(split(runs).after),
    oldVersionRunsAfter: total(sides.runs.before.filter((row) => row.event_minute > shippedMinute)),
    versions: readVersions(db, ofJudged),
    ...{ parentKeys: judged.parentKeys, isRegrouped: judged.isRegrouped, settledMinute },
  }
}

/** Nothing but its own runs says of it whether it moved elsewhere. */
function judgedOutlier(known: Judged, { operationNo, service, parentKey }: OutlierExposure): Judged {
  return { ...known, operations: new Set([operationNo]), services: [service], siblings: null, parentKeys: [parentKey] }
}

type SideOf = (row: RunRow | FailureRow) => ChangeSide

interface BothSides<Row> {
  before: Row[]
  after: Row[]
}

function createSplit(sideOf: SideOf) {
  return <Row extends RunRow | FailureRow>(rows: readonly Row[]): BothSides<Row> => {
    const sides: BothSides<Row> = { before: [], after: [] }
    for (const row of rows) {
      const side = sideOf(row)
      if (side !== 'neither') sides[side].push(row)
    }
    return sides
  }
}

/** Where a change names a version but no service, those that had it are meant; else that of the pain, which has yet to have it. */
function readSideOf(db: SqliteDatabase, { projectNo, change, service }: ExposureQuestion): SideOf {
  const byTime = createSideOf({ ...change, version: null }, [])
  const byRelease = new Map<number, (record: PlacedRecord) => ChangeSide>()
  if (change.version !== null) {
    const having = db
      .prepare('select distinct service from release where project_no = ? and release = ? order by service')
      .pluck()
    const seen = (having.all(projectNo, change.version) as string[]).filter(
      (name) => change.service === null || name === change.service,
    )
    const awaited = change.isRelease ? [change.service ?? service] : []
    const read = db.prepare(
      `select release_no as releaseNo, release, first_seen_ms as firstSeenMs, ${RELEASE_BEGAN_MS} as beganMs
       from release where project_no = ? and service = ?`,
    )
    for (const name of seen.length > 0 ? seen : awaited) {
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

function sampledSides(runs: BothSides<RunRow>, failures: BothSides<FailureRow>): ExposureAnswer['sampling'] {
  const minutesOf = (rows: RunRow[]) => rows.map(({ event_minute, spans }) => ({ minute: event_minute, spans }))
  const [before, after] = activeMinutes([minutesOf(runs.before), minutesOf(runs.after)])
  const sampled = (side: 'before' | 'after', minutes: number): SampledTraffic => ({
    spans: runs[side].reduce((sum, row) => sum + row.spans, 0),
    runs: runs[side].reduce((sum, row) => sum + row.runs, 0),
    failures: failures[side].reduce((sum, row) => sum + row.weight, 0),
    minutes,
  })
  return { before: sampled('before', before!), after: sampled('after', after!) }
}

interface Rows {
  runs: BothSides<RunRow>
  own: BothSides<FailureRow>
  parent: BothSides<FailureRow> | null
}

function compareRows({ runs, own, parent }: Rows): ComparedSides {
  const weights = operationWeights(runsByOperation(runs))
  const even = (failures: BothSides<FailureRow>) => ({
    before: countMinutes(runs.before, failures.before, () => 1),
    after: countMinutes(runs.after, failures.after, () => 1),
  })
  if (weights === null) return compareSides({ own: even(own), weighed: null, parent: parent && even(parent) })
  const weighed = (failures: BothSides<FailureRow>) => ({
    before: countMinutes(runs.before, failures.before, (row) => weightOf(weights, row)?.before ?? 0),
    after: countMinutes(runs.after, failures.after, (row) => weightOf(weights, row)?.after ?? 0),
  })
  const isCommon = (row: RunRow | FailureRow) => (weightOf(weights, row) ? 1 : 0)
  return compareSides({
    own: even(own),
    weighed: {
      own: weighed(own),
      parent: parent && weighed(parent),
      before: countMinutes(runs.before, own.before, isCommon),
    },
    parent: parent && even(parent),
  })
}

function weightOf(weights: OperationWeights, { operation_no }: RunRow | FailureRow) {
  return operation_no === null ? weights.values().next().value : weights.get(operation_no)
}

function runsByOperation(runs: BothSides<RunRow>): OperationRuns[] {
  const found = new Map<number, OperationRuns>()
  for (const side of ['before', 'after'] as const) {
    for (const { operation_no, runs: count } of runs[side]) {
      const one = found.get(operation_no) ?? { operation: operation_no, before: 0, after: 0 }
      found.set(operation_no, one)
      one[side] += count
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
