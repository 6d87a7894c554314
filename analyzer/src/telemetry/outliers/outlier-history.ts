import type { SqliteDatabase } from '@loopkit/shared/database/open'
import {
  createOutlierJudge,
  type OutlierJudge,
  type OutlierRule,
  type RunsOfTime,
  type Spell,
} from '../../domain/outliers/judge-outliers.ts'
import { addChanges, runsAbove, type SignedSteps, stepsOfBytes } from '../../domain/outliers/value-steps.ts'
import { memoryOf } from '../read-memory.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** Hours and days of one operation and measure, as they stand now. */
export interface OperationHistory {
  measure: number
  operationNo: number
  hours: ReadonlyMap<number, KnownTime>
}

export interface KnownTime extends RunsOfTime {
  lastReceivedHour: number
  /** Some of its runs are large enough to be known by name. */
  isNamed: boolean
}

/** What waits to be added to an hour. */
export interface WaitingHour {
  hour: number
  changes: SignedSteps
  isNamed: boolean
}

interface Judged {
  judge: OutlierJudge
  /** The last time that it took for good. */
  taken: number
}

interface Known extends OperationHistory {
  hours: Map<number, KnownTime>
  days: Map<number, RunsOfTime>
  byHour: Judged
  byDay: Judged
  /** As of the last look; null once something changed. */
  spells: Spell[] | null
}

/** Hours and days of history that are looked at; whole days, so that what is known of a day holds until it ends. */
const HISTORY_DAYS = { 60: 8, 1440: 30 }
const DAY_HOURS = 24
/** Operations and measures that are looked at. */
const OPERATIONS_MAX = 1_000
/** Hours of event before the latest arrival that are likely to change no more; where one does, its operation is judged anew. */
const SETTLED_HOURS = 3

interface Project {
  /** What arrived before this hour is known. */
  asOfHour: number
  operations: Map<string, Known>
}

const PROJECT = memoryOf<Project>('outlier histories')

export interface Histories {
  all(): OperationHistory[]
  /** null: too many, or nothing of it was ever large. */
  find(measure: number, operationNo: number): OperationHistory | null
  /** Hours out of the usual; where none of a day was, those of a day that was out of it as a whole. */
  spellsOf(history: OperationHistory, rule: OutlierRule, waiting: readonly WaitingHour[]): Spell[]
}

interface Asked {
  /** The end of the window. */
  toHour: number
  /** What has yet to be added to rows: operations of which something is large, and when it all arrived. */
  waiting: readonly { measure: number; operationNo: number }[]
  receivedHours: readonly number[]
}

/** What is known of a project's operations whose runs are large at times. Only what arrived since the last question is read. */
export function readHistories(
  { db, memory }: TelemetryConnection,
  projectNo: number,
  { toHour, waiting, receivedHours }: Asked,
): Histories {
  const today = Math.floor(toHour / DAY_HOURS)
  const project = memory.only(PROJECT, `${projectNo} ${today}`, (): Project => ({ asOfHour: 0, operations: new Map() }))
  const read = prepareReads(db, projectNo, today)
  const since = Map.groupBy(read.hoursSince(project.asOfHour), ({ measure, operation_no }) => `${measure} ${operation_no}`)
  for (const rows of since.values()) applyHours(project, rows, read)
  for (const row of read.daysSince(project.asOfHour)) applyDay(project, row)
  for (const { measure, operationNo } of waiting) learn(project, { measure, operationNo }, read)
  project.asOfHour = receivedHours.reduce((least, hour) => Math.min(least, hour), read.lastHour() ?? 0)
  return {
    all: () => [...project.operations.values()],
    find: (measure, operationNo) => project.operations.get(`${measure} ${operationNo}`) ?? null,
    spellsOf: (history, rule, own) =>
      spellsOf(history as Known, rule, { waiting: own, settledHour: project.asOfHour - SETTLED_HOURS }),
  }
}

interface Row {
  measure: number
  operation_no: number
  minutes: number
  bucket: number
  last_received_hour: number
  bins: Uint8Array
  is_named: number
}

type Reads = ReturnType<typeof prepareReads>

function prepareReads(db: SqliteDatabase, projectNo: number, today: number) {
  const columns = 'measure, operation_no, minutes, bucket, last_received_hour, bins, length(exemplars) > 0 as is_named'
  const since = db.prepare(
    `select ${columns} from sketch_rollup indexed by sketch_rollup_by_arrival
     where project_no = ? and minutes = ? and last_received_hour >= ? order by measure, operation_no, bucket`,
  )
  const ofOne = db.prepare(
    `select ${columns} from sketch_rollup where project_no = ? and measure = ? and operation_no = ? and minutes = ?
     and last_received_hour >= ? order by bucket`,
  )
  const last = db.prepare('select max(last_received_hour) from sketch_rollup where project_no = ? and minutes = 60').pluck()
  const oldest = (minutes: 60 | 1440) => (today - HISTORY_DAYS[minutes]) * DAY_HOURS
  const rowsSince = (minutes: 60 | 1440, asOfHour: number) =>
    since.all(projectNo, minutes, Math.max(asOfHour, oldest(minutes))) as Row[]
  return {
    hoursSince: (asOfHour: number) => rowsSince(60, asOfHour),
    daysSince: (asOfHour: number) => rowsSince(1440, asOfHour),
    ofOne: (measure: number, operationNo: number, minutes: 60 | 1440) =>
      ofOne.all(projectNo, measure, operationNo, minutes, oldest(minutes)) as Row[],
    lastHour: () => last.get(projectNo) as number | null,
  }
}

/** Hours of one operation that changed: of one that is not known yet all of them, where nothing was read before. */
function applyHours(project: Project, rows: readonly Row[], read: Reads): void {
  const [{ measure, operation_no: operationNo }] = rows as [Row]
  const known = project.operations.get(`${measure} ${operationNo}`)
  if (known) for (const row of rows) addHour(known, row)
  else if (rows.some((row) => row.is_named === 1))
    learn(project, { measure, operationNo }, read, project.asOfHour === 0 ? rows : null)
}

function addHour(known: Known, row: Row): void {
  const time = {
    bucket: row.bucket,
    steps: stepsOfBytes(row.bins),
    lastReceivedHour: row.last_received_hour,
    isNamed: row.is_named === 1,
  }
  known.hours.set(row.bucket, time)
  known.spells = null
  if (row.bucket <= known.byHour.taken) known.byHour = NOT_JUDGED()
}

function applyDay(project: Project, row: Row): void {
  const known = project.operations.get(`${row.measure} ${row.operation_no}`)
  if (known) addDay(known, row)
}

function addDay(known: Known, row: Row): void {
  known.days.set(row.bucket, { bucket: row.bucket, steps: stepsOfBytes(row.bins) })
  known.spells = null
  if (row.bucket <= known.byDay.taken) known.byDay = NOT_JUDGED()
}

/** An operation whose runs were never large before: all of it. */
function learn(
  project: Project,
  { measure, operationNo }: { measure: number; operationNo: number },
  read: Reads,
  hours: readonly Row[] | null = null,
): void {
  const key = `${measure} ${operationNo}`
  if (project.operations.has(key) || project.operations.size >= OPERATIONS_MAX) return
  const known: Known = {
    ...{ measure, operationNo, hours: new Map(), days: new Map(), spells: null },
    ...{ byHour: NOT_JUDGED(), byDay: NOT_JUDGED() },
  }
  project.operations.set(key, known)
  for (const row of hours ?? read.ofOne(measure, operationNo, 60)) addHour(known, row)
  // Those of a first look come with the days of all.
  if (hours === null) for (const row of read.ofOne(measure, operationNo, 1440)) addDay(known, row)
}

const NOBODY: OutlierJudge = { take: () => {}, peek: () => [] }
/** Its judge comes with the first rule. */
const NOT_JUDGED = (): Judged => ({ judge: NOBODY, taken: Number.NEGATIVE_INFINITY })

interface Now {
  waiting: readonly WaitingHour[]
  settledHour: number
}

function spellsOf(known: Known, rule: OutlierRule, now: Now): Spell[] {
  if (known.spells && now.waiting.length === 0) return known.spells
  const hours = withWaiting(known.hours, now.waiting, 1)
  const byHour = judge(known.byHour, hours, { rule, hoursOfDay: DAY_HOURS, waiting: now.waiting, settled: now.settledHour })
  const named = new Set(byHour.map(({ bucket }) => Math.floor(bucket / DAY_HOURS)))
  const ofDays = now.waiting.map((one) => ({ ...one, hour: Math.floor(one.hour / DAY_HOURS) }))
  const settledDay = Math.floor(now.settledHour / DAY_HOURS) - 1
  const days = withWaiting(known.days, now.waiting, DAY_HOURS)
  const byDay = judge(known.byDay, days, { rule, hoursOfDay: 1, waiting: ofDays, settled: settledDay })
  const hoursOfDays = byDay
    .filter(({ bucket }) => !named.has(bucket))
    .flatMap((spell) =>
      hours
        .filter(({ bucket }) => Math.floor(bucket / DAY_HOURS) === spell.bucket)
        .map(({ bucket, steps }) => ({ ...spell, bucket, beyond: runsAbove(steps, spell.step), runs: steps.total })),
    )
  const spells = [...byHour, ...hoursOfDays].sort((a, b) => a.bucket - b.bucket)
  if (now.waiting.length === 0) known.spells = spells
  return spells
}

interface Judging {
  rule: OutlierRule
  hoursOfDay: number
  waiting: readonly WaitingHour[]
  settled: number
}

/** Times that change no more are judged once; those that may are looked at beyond them. */
function judge(judged: Judged, times: readonly RunsOfTime[], { rule, hoursOfDay, waiting, settled }: Judging): Spell[] {
  const firstOpen = Math.min(settled + 1, ...waiting.map(({ hour }) => hour))
  if (firstOpen <= judged.taken) return createOutlierJudge(rule, hoursOfDay).peek(times)
  if (judged.judge === NOBODY) judged.judge = createOutlierJudge(rule, hoursOfDay)
  const left = times.filter(({ bucket }) => bucket > judged.taken)
  for (const time of left) {
    if (time.bucket >= firstOpen) continue
    judged.judge.take(time)
    judged.taken = time.bucket
  }
  return judged.judge.peek(left.filter(({ bucket }) => bucket >= firstOpen))
}

/** In order of time. */
export function withWaiting(
  times: ReadonlyMap<number, RunsOfTime>,
  waiting: readonly WaitingHour[],
  hoursEach: number,
): RunsOfTime[] {
  const merged = new Map<number, RunsOfTime>(times)
  for (const { hour, changes } of waiting) {
    const bucket = Math.floor(hour / hoursEach)
    merged.set(bucket, { bucket, steps: addChanges(merged.get(bucket)?.steps ?? null, changes) })
  }
  return [...merged.values()].sort((a, b) => a.bucket - b.bucket)
}
