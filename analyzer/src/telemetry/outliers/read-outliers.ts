import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type Exemplar, joinExemplars, unpackExemplars } from '@loopkit/shared/rollup/exemplars'
import { addBins, binOf, createSketch, type Sketch } from '@loopkit/shared/rollup/sketch'
import { HOUR_MS, MEASURES, type Measure, unpackDeltas } from '@loopkit/shared/rollup/sketch-delta'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { OutlierRule, RunsOfTime, Spell } from '../../domain/outliers/judge-outliers.ts'
import { binOfStep, stepsOfChanges, type ValueSteps } from '../../domain/outliers/value-steps.ts'
import { windowBoundsMs } from '../../domain/window.ts'
import type { FailureScope } from '../counts/failure-scope.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { type Histories, type OperationHistory, readHistories, type WaitingHour, withWaiting } from './outlier-history.ts'

/** Runs of one operation that took longer or cost more than its own history, as a window sees them. */
export interface OutlierPlace {
  signal: 'slow' | 'cost_outlier'
  measure: Measure
  operationNo: number
  service: string
  operation: string
  /** Hours that lie in the window, in order. */
  hours: OutlierHour[]
  /** Runs of every hour that lies in the window. */
  runs: { bucket: number; runs: number }[]
  /** Since when it is so. */
  firstMs: number
  /** Runs beyond their hour's threshold, the largest first: all that is known of them by name. */
  exemplars: Exemplar[]
}

export interface OutlierHour extends Spell {
  /** In the measure's unit. */
  thresholdBin: number
  now: ValueSteps
}

export interface OutlierScope extends FailureScope {
  service: string | null
  off: readonly SignalType[]
}

const SIGNAL_OF: Record<Measure, OutlierPlace['signal']> = { latency: 'slow', tokens: 'cost_outlier', cost: 'cost_outlier' }
/** What the sketches say of the window. Money before tokens: an operation is named once. */
export function readOutliers(connection: TelemetryConnection, scope: OutlierScope): OutlierPlace[] {
  const pending = readPending(connection.db, scope.projectNo)
  const histories = readHistories(connection, scope.projectNo, askedFor(scope, pending))
  const places = (['latency', 'cost', 'tokens'] as const)
    .filter((measure) => !scope.off.includes(SIGNAL_OF[measure]))
    .flatMap((measure) => placesOf(connection, scope, { measure, pending, histories }))
  const priced = new Set(places.filter(({ measure }) => measure === 'cost').map(({ operationNo }) => operationNo))
  return places.filter(({ measure, operationNo }) => measure !== 'tokens' || !priced.has(operationNo)).sort(byName)
}

/** Numbers of operations tell in which order they came. */
function byName(a: OutlierPlace, b: OutlierPlace): number {
  const [left, right] = [a, b].map(({ service, operation, measure }) => [service, operation, measure]) as [string[], string[]]
  const at = left.findIndex((word, n) => word !== right[n])
  return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1
}

export interface OperationOutliers {
  hours: RunsOfTime[]
  spells: Spell[]
}

/** All that is known of one operation, whatever the window. */
export function readOperationOutliers(
  connection: TelemetryConnection,
  scope: Pick<OutlierScope, 'projectNo' | 'window'>,
  { measure, operationNo }: { measure: Measure; operationNo: number },
): OperationOutliers {
  const pending = readPending(connection.db, scope.projectNo)
  const histories = readHistories(connection, scope.projectNo, askedFor(scope, pending))
  const history = histories.find(MEASURES[measure], operationNo)
  if (history === null) return { hours: [], spells: [] }
  const waiting = waitingOf(pending, history)
  return {
    hours: withWaiting(history.hours, waiting, 1),
    spells: histories.spellsOf(history, ruleOf(measure, connection.thresholds), waiting),
  }
}

function askedFor({ window }: Pick<OutlierScope, 'window'>, pending: Pending) {
  const all = [...pending.values()].flat()
  const toHour = Math.ceil(windowBoundsMs(window).toMs / HOUR_MS)
  return { toHour, waiting: all.filter(({ isNamed }) => isNamed), receivedHours: all.map(({ receivedHour }) => receivedHour) }
}

function waitingOf(pending: Pending, { measure, operationNo }: OperationHistory): readonly Waiting[] {
  return pending.get(`${measure} ${operationNo}`) ?? []
}

interface Reading {
  measure: Measure
  pending: Pending
  histories: Histories
}

function placesOf(
  connection: TelemetryConnection,
  scope: OutlierScope,
  { measure, pending, histories }: Reading,
): OutlierPlace[] {
  const names = connection.db.prepare('select service, operation from operation where operation_no = ?')
  const rule = ruleOf(measure, connection.thresholds)
  return histories.all().flatMap((history) => {
    if (history.measure !== MEASURES[measure]) return []
    const waiting = waitingOf(pending, history)
    const isTouched = createIsTouched(scope, history, waiting)
    const spells = histories.spellsOf(history, rule, waiting)
    const touched = spells.filter(({ bucket, beyond }) => beyond > 0 && isTouched(bucket))
    if (touched.length === 0) return []
    const named = names.get(history.operationNo) as { service: string; operation: string } | undefined
    if (!named || (scope.service !== null && named.service !== scope.service)) return []
    return toPlace(connection, scope, { measure, named, history, spells, touched, waiting, isTouched }) ?? []
  })
}

interface Found {
  measure: Measure
  named: { service: string; operation: string }
  history: OperationHistory
  spells: readonly Spell[]
  touched: readonly Spell[]
  waiting: readonly Waiting[]
  isTouched: (hour: number) => boolean
}

function toPlace(
  { db }: TelemetryConnection,
  scope: OutlierScope,
  { measure, named, history, spells, touched, waiting, isTouched }: Found,
): OutlierPlace | null {
  const times = new Map(withWaiting(history.hours, waiting, 1).map((time) => [time.bucket, time.steps]))
  const hours = touched.map((spell) => ({ ...spell, thresholdBin: binOfStep(spell.step), now: times.get(spell.bucket)! }))
  const { operationNo } = history
  const exemplars = hours.flatMap(({ bucket, thresholdBin }) =>
    exemplarsOf(db, scope, { history, waiting }, bucket).filter(({ value }) => binOf(value) > thresholdBin),
  )
  if (exemplars.length === 0) return null
  const firstMs = Math.min(...spells.map(({ bucket }) => bucket)) * HOUR_MS
  const runs = [...times].flatMap(([bucket, { total }]) => (isTouched(bucket) ? [{ bucket, runs: total }] : []))
  return { signal: SIGNAL_OF[measure], measure, operationNo, ...named, hours, runs, firstMs, exemplars: inOrder(exemplars) }
}

/** Whether something of an hour arrived in the window, and the hour lies between the event times that are asked for. */
function createIsTouched(
  { window, events }: OutlierScope,
  { hours }: OperationHistory,
  waiting: readonly Waiting[],
): (hour: number) => boolean {
  const { fromMs, toMs } = windowBoundsMs(window)
  const [first, last] = [Math.floor(fromMs / HOUR_MS), Math.floor((toMs - 1) / HOUR_MS)]
  const arrived = (received: number) => received >= first && received <= last
  const waits = new Set(waiting.filter(({ receivedHour }) => arrived(receivedHour)).map(({ hour }) => hour))
  return (hour) => {
    if (events !== null && ((hour + 1) * HOUR_MS <= events.fromMs || hour * HOUR_MS >= events.toMs)) return false
    const known = hours.get(hour)
    return waits.has(hour) || (known !== undefined && arrived(known.lastReceivedHour))
  }
}

function inOrder(exemplars: Exemplar[]): Exemplar[] {
  return exemplars.sort((a, b) => b.value - a.value || Buffer.compare(a.traceId, b.traceId) || Buffer.compare(a.spanId, b.spanId))
}

type Settings = TelemetryConnection['thresholds']

function ruleOf(measure: Measure, settings: Settings): OutlierRule {
  if (measure === 'latency')
    return { factor: settings.slowFactor, excessMin: settings.slowMinMs, aloneMin: 10 * settings.slowMinMs }
  const excessMin = measure === 'cost' ? settings.costOutlierMinUsd * 1e6 : settings.costOutlierMinTokens
  return { factor: settings.costOutlierFactor, excessMin, aloneMin: 10 * excessMin }
}

/** What commits and decisions left that is not in the rows yet, by measure and operation. */
type Pending = ReadonlyMap<string, readonly Waiting[]>

interface Waiting extends WaitingHour {
  measure: number
  operationNo: number
  /** The first. */
  receivedHour: number
  exemplars: Exemplar[]
}

function readPending(db: SqliteDatabase, projectNo: number): Pending {
  const rows = db.prepare('select received_hour, deltas from sketch_delta where project_no = ? order by delta_no').raw()
  const sketches = new Map<string, Omit<Waiting, 'changes' | 'isNamed'> & { sketch: Sketch }>()
  for (const [receivedHour, deltas] of rows.iterate(projectNo) as Iterable<[number, Uint8Array]>) {
    for (const { measure, operationNo, hour, added, takenBack, exemplars } of unpackDeltas(deltas)) {
      const key = `${measure} ${operationNo} ${hour}`
      const known = sketches.get(key) ?? { measure, operationNo, hour, receivedHour, sketch: createSketch(), exemplars: [] }
      sketches.set(key, known)
      addBins(known.sketch, added)
      for (const bin of takenBack) known.sketch.add(bin, -1)
      if (exemplars.length > 0) known.exemplars = joinExemplars([...known.exemplars, ...exemplars])
    }
  }
  const toWaiting = ({ sketch, ...one }: Omit<Waiting, 'changes' | 'isNamed'> & { sketch: Sketch }): Waiting => ({
    ...one,
    changes: stepsOfChanges(sketch.changes()),
    isNamed: one.exemplars.length > 0,
  })
  return Map.groupBy([...sketches.values()].map(toWaiting), ({ measure, operationNo }) => `${measure} ${operationNo}`)
}

function exemplarsOf(
  db: SqliteDatabase,
  { projectNo }: OutlierScope,
  { history: { measure, operationNo }, waiting }: { history: OperationHistory; waiting: readonly Waiting[] },
  hour: number,
): Exemplar[] {
  const packed = db
    .prepare(
      'select exemplars from sketch_rollup where project_no = ? and measure = ? and operation_no = ? and minutes = 60 and bucket = ?',
    )
    .pluck()
    .get(projectNo, measure, operationNo, hour) as Uint8Array | undefined
  const ofHour = waiting.filter((one) => one.hour === hour).flatMap(({ exemplars }) => exemplars)
  return joinExemplars([...(packed ? unpackExemplars(packed) : []), ...ofHour])
}
