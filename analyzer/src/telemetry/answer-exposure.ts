import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { AWAITS_END } from '@loopkit/shared/database/telemetry/awaits-end'
import { fromHex } from '@loopkit/shared/otlp/ids'
import type { ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { type DecidedKey, isRegrouped } from '../domain/regrouped.ts'
import { type MinuteCount, type Traffic, toTraffic } from '../domain/verification/traffic.ts'
import type { MinuteWindow } from '../domain/window.ts'
import { RELEASE_BEGAN_MS } from './release-began.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface ExposureQuestion {
  projectNo: number
  /** What arrived in these minutes is read. */
  window: MinuteWindow
  /** Of a pain and those merged into it, in hex; null judges all failures of the service, or of the project where that is null too. */
  fingerprints: readonly string[] | null
  service: string | null
  /** How the project groups failures now. */
  rules: ProjectRules
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
  /** Runs of anything in the service after the change: is there traffic at all? */
  serviceRunsAfter: number
  /** Runs by event time after the change that carry an older version. */
  oldVersionRunsAfter: number
  /** Versions of the judged operations, both sides. */
  versions: string[]
  /** First minute of arrival that still has an undecided trace; nothing from it on was read. */
  settledMinute: number
  /** Failures of the pain were grouped otherwise in a part of the window. */
  isRegrouped: boolean
}

interface CountRow {
  event_minute: number
  release_no: number
  operation_no: number
  runs: number
}

interface FailureRow {
  event_minute: number
  release_no: number
  weight: number
  weight_squared: number
}

const VERSIONS_MAX = 50
const MINUTE_MS = 60_000

/** What the traffic before and after a change shows. Records are sorted by themselves: by their release, else by event time. */
export function answerExposure({ db }: TelemetryConnection, question: ExposureQuestion): ExposureAnswer {
  const { projectNo, window, change, heldAtMs } = question
  const settledMinute = readSettledMinute(db, projectNo, window)
  const sideOf = createSideOf(db, question)
  const judged = readJudged(db, question)
  const runs = readRuns(db, question, settledMinute)
  const ofJudged = runs.filter(({ operation_no }) => judged.operations.has(operation_no))
  const failures = (fingerprints: number[] | null) => readFailures(db, question, { fingerprints, settledMinute })
  const own = failures(judged.fingerprints)
  const parent = judged.siblings === null ? null : failures(judged.siblings)
  const sides = (rows: FailureRow[]) => ({
    before: sumSide(ofJudged, rows, (row) => sideOf(row) === 'before'),
    after: sumSide(ofJudged, rows, (row) => sideOf(row) === 'after'),
  })
  const shippedMinute = Math.floor(change.shippedAtMs / MINUTE_MS)
  const heldMinute = heldAtMs === null ? null : Math.floor(heldAtMs / MINUTE_MS)
  const afterSide = (isPart: (minute: number) => boolean) =>
    sumSide(ofJudged, own, (row) => sideOf(row) === 'after' && isPart(row.event_minute))
  const total = (rows: CountRow[]) => rows.reduce((sum, row) => sum + row.runs, 0)
  return {
    ...sides(own),
    parent: parent && sides(parent),
    sinceHeld:
      heldMinute === null
        ? null
        : { held: afterSide((minute) => minute <= heldMinute), since: afterSide((minute) => minute > heldMinute) },
    serviceRunsAfter: total(runs.filter((row) => sideOf(row) === 'after')),
    oldVersionRunsAfter: total(ofJudged.filter((row) => row.event_minute > shippedMinute && sideOf(row) === 'before')),
    versions: readVersions(db, ofJudged),
    settledMinute,
    isRegrouped: isPainRegrouped(db, question),
  }
}

/** A minute of arrival is read only once every trace that arrived in it is decided (contract §6). */
function readSettledMinute(db: SqliteDatabase, projectNo: number, { toMinute }: MinuteWindow): number {
  const oldest = db.prepare(`select min(first_received_ms) from open_trace where project_no = ? and not (${AWAITS_END})`).pluck()
  const openMs = oldest.get(projectNo) as number | null
  return openMs === null ? toMinute : Math.min(toMinute, Math.floor(openMs / MINUTE_MS))
}

type SideOf = (row: { event_minute: number; release_no: number }) => 'before' | 'after' | 'neither'

/** The minute of the change belongs to neither side; a record that carries a release of the changed service is judged by that. */
function createSideOf(db: SqliteDatabase, { projectNo, change }: ExposureQuestion): SideOf {
  const shippedMinute = Math.floor(change.shippedAtMs / MINUTE_MS)
  const byTime: SideOf = ({ event_minute }) =>
    event_minute === shippedMinute ? 'neither' : event_minute < shippedMinute ? 'before' : 'after'
  if (change.version === null || change.service === null) return byTime
  const releases = db
    .prepare(
      `select release_no, release, first_seen_ms, ${RELEASE_BEGAN_MS} as began_ms from release where project_no = ? and service = ?`,
    )
    .all(projectNo, change.service) as { release_no: number; release: string; first_seen_ms: number; began_ms: number }[]
  const shipped = releases.find(({ release }) => release === change.version)
  if (!shipped) return (row) => (releases.some(({ release_no }) => release_no === row.release_no) ? 'before' : byTime(row))
  // Newer by arrival and by event: neither a backfilled old version nor one that was seen late is taken for a successor.
  const isNewer = (one: (typeof releases)[number]) => one.first_seen_ms > shipped.first_seen_ms && one.began_ms > shipped.began_ms
  const side = new Map(releases.map((one) => [one.release_no, isNewer(one) ? 'after' : 'before'] as const))
  side.set(shipped.release_no, 'after')
  return (row) => side.get(row.release_no) ?? byTime(row)
}

interface Judged {
  operations: Set<number>
  /** null: all of the operations' failures. */
  fingerprints: number[] | null
  siblings: number[] | null
}

function readJudged(db: SqliteDatabase, { projectNo, fingerprints, service }: ExposureQuestion): Judged {
  if (fingerprints === null) {
    const all = 'select operation_no from operation where project_no = ? and (? is null or service = ?)'
    return {
      operations: new Set(db.prepare(all).pluck().all(projectNo, service, service) as number[]),
      fingerprints: service === null ? null : readServiceFingerprints(db, projectNo, service),
      siblings: null,
    }
  }
  const rows = readFingerprints(db, projectNo, fingerprints)
  const siblings = db.prepare('select fingerprint_no from fingerprint where project_no = ? and parent_key = ?').pluck()
  return {
    operations: new Set(rows.map(({ operation_no }) => operation_no)),
    fingerprints: rows.map(({ fingerprint_no }) => fingerprint_no),
    siblings: [...new Set(rows.flatMap(({ parent_key }) => siblings.all(projectNo, parent_key) as number[]))],
  }
}

interface FingerprintRow {
  fingerprint_no: number
  fingerprint: Buffer
  operation_no: number
  parent_key: Buffer
  signal: SignalType
  service: string
  operation: string
  error_type: string | null
  sample_message: string | null
  steps: string
}

function readFingerprints(db: SqliteDatabase, projectNo: number, fingerprints: readonly string[]): FingerprintRow[] {
  const find = db.prepare(
    `select fingerprint_no, fingerprint, operation_no, parent_key, signal, service, operation, error_type, sample_message, steps
     from fingerprint where project_no = ? and fingerprint = ?`,
  )
  return fingerprints.flatMap((name) => (find.get(projectNo, fromHex(name)) as FingerprintRow | undefined) ?? [])
}

function isPainRegrouped(db: SqliteDatabase, { projectNo, fingerprints, rules, window }: ExposureQuestion): boolean {
  return readFingerprints(db, projectNo, fingerprints ?? []).some((row) => {
    const { signal, service, operation, error_type: errorType, sample_message: message } = row
    const named = { fingerprint: row.fingerprint.toString('hex'), steps: JSON.parse(row.steps) as DecidedKey['steps'] }
    return isRegrouped({ signal, service, operation, errorType, message, ...named }, rules, window.fromMinute * MINUTE_MS)
  })
}

function readServiceFingerprints(db: SqliteDatabase, projectNo: number, service: string): number[] {
  const find = db.prepare('select fingerprint_no from fingerprint where project_no = ? and service = ?').pluck()
  return find.all(projectNo, service) as number[]
}

/** Runs by event minute, release and operation, of the service that is judged or of all. */
function readRuns(
  db: SqliteDatabase,
  { projectNo, window, fingerprints, service }: ExposureQuestion,
  settledMinute: number,
): CountRow[] {
  const rows = db.prepare(
    `select event_minute, release_no, operation_no, sum(weight) as runs from run_count
     where project_no = @projectNo and received_minute >= @from and received_minute < @to and event_minute < @to
       and (@services is null or operation_no in (select operation_no from operation where project_no = @projectNo
            and service in (select value from json_each(@services))))
     group by event_minute, release_no, operation_no`,
  )
  const ofPain = fingerprints && readFingerprints(db, projectNo, fingerprints).map((row) => row.service)
  const services = ofPain ?? (service === null ? null : [service])
  const named = { services: services && JSON.stringify(services) }
  return rows.all({ projectNo, from: window.fromMinute, to: settledMinute, ...named }) as CountRow[]
}

function readFailures(
  db: SqliteDatabase,
  { projectNo, window }: ExposureQuestion,
  { fingerprints, settledMinute }: { fingerprints: number[] | null; settledMinute: number },
): FailureRow[] {
  const rows = db.prepare(
    `select event_minute, release_no, sum(weight) as weight, sum(weight_squared) as weight_squared from failure_count
     where project_no = @projectNo and decided_minute >= @from and event_minute < @to
       and (@all or fingerprint_no in (select value from json_each(@fingerprints)))
     group by event_minute, release_no having sum(failures) > 0`,
  )
  return rows.all({
    projectNo,
    from: window.fromMinute,
    to: settledMinute,
    all: fingerprints === null ? 1 : 0,
    fingerprints: JSON.stringify(fingerprints ?? []),
  }) as FailureRow[]
}

function sumSide(runs: CountRow[], failures: FailureRow[], isSide: (row: CountRow | FailureRow) => boolean): Side {
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

function readVersions(db: SqliteDatabase, rows: CountRow[]): string[] {
  const name = db.prepare('select release from release where release_no = ?').pluck()
  const numbers = new Set(rows.map(({ release_no }) => release_no))
  numbers.delete(0)
  const names = [...numbers].map((number) => name.get(number) as string | undefined).filter((release) => release !== undefined)
  return [...new Set(names)].sort().slice(0, VERSIONS_MAX)
}
