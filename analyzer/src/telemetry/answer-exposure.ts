import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { SampledTraffic } from '../domain/verification/sampling.ts'
import { type ChangeSide, createSideOf, type SeenVersion } from '../domain/verification/side-of.ts'
import { type MinuteCount, type Traffic, toTraffic } from '../domain/verification/traffic.ts'
import { type FailureRow, type RunRow, readFailures, readRuns, readSettledMinute } from './exposure-rows.ts'
import { type JudgedSubject, readJudged } from './judged-failures.ts'
import { RELEASE_BEGAN_MS } from './release-began.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface ExposureQuestion extends Omit<JudgedSubject, 'settledMinute'> {
  change: { service: string | null; version: string | null; shippedAtMs: number }
  /** When an earlier verdict said held; what came since is compared to what was held, not only to what was before the change. */
  heldAtMs: number | null
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
  /** The same with every failure that differs only in words or stack; null where no single pain was asked for. */
  parent: { before: Side; after: Side } | null
  /** What was held, and what came since; null where nothing was. */
  sinceHeld: { held: Side; since: Side } | null
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
  const { projectNo, window, change, heldAtMs } = question
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
    before: sumSide(ofJudged, rows, isSide('before')),
    after: sumSide(ofJudged, rows, isSide('after')),
  })
  const shippedMinute = Math.floor(change.shippedAtMs / MINUTE_MS)
  const total = (rows: RunRow[]) => rows.reduce((sum, row) => sum + row.runs, 0)
  return {
    ...sides(own),
    parent: parent && sides(parent),
    sinceHeld: heldAtMs === null ? null : sinceHeld({ runs: ofJudged, failures: own, isAfter: isSide('after'), heldAtMs }),
    sampling: { before: sampledOf(ofJudged, any, isSide('before')), after: sampledOf(ofJudged, any, isSide('after')) },
    serviceRunsAfter: total(runs.filter(isSide('after'))),
    oldVersionRunsAfter: total(ofJudged.filter((row) => row.event_minute > shippedMinute && sideOf(row) === 'before')),
    versions: readVersions(db, ofJudged),
    ...{ parentKeys: judged.parentKeys, isRegrouped: judged.isRegrouped, settledMinute },
  }
}

type SideOf = (row: RunRow | FailureRow) => ChangeSide

function readSideOf(db: SqliteDatabase, { projectNo, change }: ExposureQuestion): SideOf {
  const read = db.prepare(
    `select release_no as releaseNo, release, first_seen_ms as firstSeenMs, ${RELEASE_BEGAN_MS} as beganMs
     from release where project_no = ? and service = ?`,
  )
  const isByVersion = change.version !== null && change.service !== null
  const versions = isByVersion ? (read.all(projectNo, change.service) as SeenVersion[]) : []
  const sideOf = createSideOf({ ...change, version: isByVersion ? change.version : null }, versions)
  return ({ event_minute, release_no }) => sideOf({ eventMinute: event_minute, releaseNo: release_no })
}

function fingerprintsOf(db: SqliteDatabase, projectNo: number, operations: ReadonlySet<number>): number[] {
  const find = db.prepare(
    'select fingerprint_no from fingerprint where project_no = ? and operation_no in (select value from json_each(?))',
  )
  return find.pluck().all(projectNo, JSON.stringify([...operations])) as number[]
}

interface AfterRows {
  runs: RunRow[]
  failures: FailureRow[]
  isAfter: (row: RunRow | FailureRow) => boolean
  heldAtMs: number
}

function sinceHeld({ runs, failures, isAfter, heldAtMs }: AfterRows): { held: Side; since: Side } {
  const heldMinute = Math.floor(heldAtMs / MINUTE_MS)
  const part = (isPart: (minute: number) => boolean) => sumSide(runs, failures, (row) => isAfter(row) && isPart(row.event_minute))
  return { held: part((minute) => minute <= heldMinute), since: part((minute) => minute > heldMinute) }
}

function sampledOf(runs: RunRow[], failures: FailureRow[], isSide: (row: RunRow | FailureRow) => boolean): SampledTraffic {
  const own = runs.filter(isSide)
  return {
    spans: own.reduce((sum, row) => sum + row.spans, 0),
    runs: own.reduce((sum, row) => sum + row.runs, 0),
    failures: failures.filter(isSide).reduce((sum, row) => sum + row.weight, 0),
    minutes: new Set(own.map((row) => row.event_minute)).size,
  }
}

function sumSide(runs: RunRow[], failures: FailureRow[], isSide: (row: RunRow | FailureRow) => boolean): Side {
  const minutes = new Map<number, MinuteCount>()
  const minuteOf = (minute: number) => {
    const found = minutes.get(minute) ?? { minute, runs: 0, failures: 0, failuresSquared: 0 }
    minutes.set(minute, found)
    return found
  }
  const side = { fromMinute: null as number | null, toMinute: null as number | null }
  for (const row of runs.filter(isSide)) {
    minuteOf(row.event_minute).runs += row.runs
    side.fromMinute = Math.min(side.fromMinute ?? row.event_minute, row.event_minute)
    side.toMinute = Math.max(side.toMinute ?? row.event_minute, row.event_minute)
  }
  for (const row of failures.filter(isSide)) {
    const minute = minuteOf(row.event_minute)
    minute.failures += row.weight
    minute.failuresSquared += row.weight_squared
  }
  return { ...toTraffic([...minutes.values()]), ...side }
}

function readVersions(db: SqliteDatabase, rows: RunRow[]): string[] {
  const name = db.prepare('select release from release where release_no = ?').pluck()
  const numbers = new Set(rows.map(({ release_no }) => release_no))
  numbers.delete(0)
  const names = [...numbers].map((number) => name.get(number) as string | undefined).filter((release) => release !== undefined)
  return [...new Set(names)].sort().slice(0, VERSIONS_MAX)
}
