import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type Exemplar, joinExemplars, unpackExemplars } from '@loopkit/shared/rollup/exemplars'
import { addBins, binOf, createSketch, type Sketch } from '@loopkit/shared/rollup/sketch'
import { HOUR_MS, MEASURES, type Measure, unpackDeltas } from '@loopkit/shared/rollup/sketch-delta'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { judgeOutliers, type OutlierRule, type RunsOfTime, type Spell } from '../domain/outliers/judge-outliers.ts'
import { binOfStep, marksOf, runsAbove, stepsOfSketch, type ValueSteps } from '../domain/outliers/value-steps.ts'
import { windowBoundsMs } from '../domain/window.ts'
import type { FailureScope } from './failure-scope.ts'
import { memoryOf } from './read-memory.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Runs of one operation that took longer or cost more than its own history, as a window sees them. */
export interface OutlierPlace {
  signal: 'slow' | 'cost_outlier'
  measure: Measure
  operationNo: number
  service: string
  operation: string
  /** Hours that lie in the window, in order. */
  hours: OutlierHour[]
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
/** Hours and days of history that are looked at: hours are kept no longer. */
const HISTORY_HOURS = 8 * 24
const HISTORY_DAYS = 30
const DAY_HOURS = 24
/** Operations of one measure that are looked at: those with the largest values. */
const PLACES_MAX = 500

/** What the sketches say of the window. Money before tokens: an operation is named once. */
export function readOutliers(connection: TelemetryConnection, scope: OutlierScope): OutlierPlace[] {
  const pending = readPending(connection.db, scope.projectNo)
  const places = (['latency', 'cost', 'tokens'] as const)
    .filter((measure) => !scope.off.includes(SIGNAL_OF[measure]))
    .flatMap((measure) => placesOf(connection, scope, { measure, pending }))
  const priced = new Set(places.filter(({ measure }) => measure === 'cost').map(({ operationNo }) => operationNo))
  return places.filter(({ measure, operationNo }) => measure !== 'tokens' || !priced.has(operationNo))
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
  const history = readHistory(connection, scope, { measure, pending, operationNo })
  return { hours: history.hours, spells: judgeBoth(connection, history, ruleOf(measure, connection.thresholds)) }
}

interface Reading {
  measure: Measure
  pending: Pending
}

function placesOf(connection: TelemetryConnection, scope: OutlierScope, { measure, pending }: Reading): OutlierPlace[] {
  const { db, thresholds } = connection
  const touched = touchedHours(db, scope, { measure, pending })
  const names = db.prepare('select service, operation from operation where operation_no = ?')
  return [...touched].flatMap(([operationNo, hours]) => {
    const named = names.get(operationNo) as { service: string; operation: string } | undefined
    if (!named || (scope.service !== null && named.service !== scope.service)) return []
    const history = readHistory(connection, scope, { measure, pending, operationNo })
    const rule = ruleOf(measure, thresholds)
    const spells = judgeBoth(connection, history, rule)
    const found = spells.flatMap((spell) => {
      const at = hours.has(spell.bucket) ? history.hours.find(({ bucket }) => bucket === spell.bucket) : undefined
      return at && spell.beyond > 0 ? [{ ...spell, thresholdBin: binOfStep(spell.step), now: at.steps }] : []
    })
    if (found.length === 0) return []
    const exemplars = found.flatMap(({ bucket, thresholdBin }) =>
      exemplarsOf(db, scope, { measure, pending, operationNo }, bucket).filter(({ value }) => binOf(value) > thresholdBin),
    )
    const firstMs = Math.min(...spells.map(({ bucket }) => bucket)) * HOUR_MS
    return exemplars.length === 0
      ? []
      : [{ signal: SIGNAL_OF[measure], measure, operationNo, ...named, hours: found, firstMs, exemplars: inOrder(exemplars) }]
  })
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

/** Eight days of some 50 operations, and what they come to of a thousand. */
const VALUE_STEPS = memoryOf<ValueSteps>('value steps', 8)
const SPELLS = memoryOf<Spell[]>('spells', 8)

interface History {
  /** Names what it was read from. */
  key: string
  hours: RunsOfTime[]
  days: RunsOfTime[]
}

/** Hours that were out of the usual by themselves; where none of a day was, the hours of a day that was out of it as a whole. */
function judgeBoth({ memory }: TelemetryConnection, { key, hours, days }: History, rule: OutlierRule): Spell[] {
  const known = memory.take(SPELLS).recall(key)
  if (known) return known
  const byHour = judgeOutliers(hours, rule, DAY_HOURS)
  const named = new Set(byHour.map(({ bucket }) => Math.floor(bucket / DAY_HOURS)))
  const byDay = judgeOutliers(days, rule, 1).filter(({ bucket }) => !named.has(bucket))
  const ofDays = byDay.flatMap((spell) =>
    hours
      .filter(({ bucket }) => Math.floor(bucket / DAY_HOURS) === spell.bucket)
      .map(({ bucket, steps }) => ({ ...spell, bucket, beyond: runsAbove(steps, spell.step), runs: steps.total })),
  )
  const spells = [...byHour, ...ofDays].sort((a, b) => a.bucket - b.bucket)
  memory.take(SPELLS).keep(key, spells, 300 + 200 * spells.length + key.length)
  return spells
}

/** What commits and decisions left that is not in the rows yet: by measure, operation and hour. */
type Pending = ReadonlyMap<string, Waiting>

interface Waiting {
  measure: number
  operationNo: number
  hour: number
  sketch: Sketch
  exemplars: Exemplar[]
}

function readPending(db: SqliteDatabase, projectNo: number): Pending {
  const rows = db.prepare('select deltas from sketch_delta where project_no = ? order by delta_no').pluck()
  const pending = new Map<string, Waiting>()
  for (const deltas of rows.iterate(projectNo) as Iterable<Uint8Array>) {
    for (const { measure, operationNo, hour, added, takenBack, exemplars } of unpackDeltas(deltas)) {
      const key = `${measure} ${operationNo} ${hour}`
      const known = pending.get(key) ?? { measure, operationNo, hour, sketch: createSketch(), exemplars: [] }
      pending.set(key, known)
      addBins(known.sketch, added)
      for (const bin of takenBack) known.sketch.add(bin, -1)
      if (exemplars.length > 0) known.exemplars = joinExemplars([...known.exemplars, ...exemplars])
    }
  }
  return pending
}

/** Hours of event, by operation, of which something arrived in the window and something was slow enough to be named. */
function touchedHours(
  db: SqliteDatabase,
  { projectNo, window, events }: OutlierScope,
  { measure, pending }: Reading,
): Map<number, Set<number>> {
  const { fromMs, toMs } = windowBoundsMs(window)
  const inEvents = (hour: number) => events === null || ((hour + 1) * HOUR_MS > events.fromMs && hour * HOUR_MS < events.toMs)
  const touched = new Map<number, Set<number>>()
  const touch = (operationNo: number, hour: number) => {
    if (!inEvents(hour)) return
    if (!touched.has(operationNo) && touched.size >= PLACES_MAX) return
    touched.set(operationNo, (touched.get(operationNo) ?? new Set()).add(hour))
  }
  const rows = db
    .prepare(
      `select operation_no, bucket from sketch_rollup indexed by sketch_rollup_by_arrival
       where project_no = ? and minutes = 60 and last_received_hour between ? and ? and measure = ? and length(exemplars) > 0
       order by operation_no, bucket`,
    )
    .raw()
    .iterate(projectNo, Math.floor(fromMs / HOUR_MS), Math.floor((toMs - 1) / HOUR_MS), MEASURES[measure])
  for (const [operationNo, hour] of rows as Iterable<[number, number]>) touch(operationNo, hour)
  for (const { measure: own, operationNo, hour, exemplars } of pending.values())
    if (own === MEASURES[measure] && exemplars.length > 0) touch(operationNo, hour)
  return touched
}

interface OperationReading extends Reading {
  operationNo: number
}

interface StepsRow {
  minutes: number
  bucket: number
  total: number
  bins: Uint8Array
}

function readHistory(
  { db, memory }: TelemetryConnection,
  { projectNo, window }: Pick<OutlierScope, 'projectNo' | 'window'>,
  { measure, pending, operationNo }: OperationReading,
): History {
  const toHour = Math.ceil(windowBoundsMs(window).toMs / HOUR_MS)
  const rows = db
    .prepare(
      `select minutes, bucket, total, bins from sketch_rollup where project_no = ? and measure = ? and operation_no = ?
       and last_received_hour >= iif(minutes = 60, ?, ?) order by minutes, bucket`,
    )
    .all(projectNo, MEASURES[measure], operationNo, toHour - HISTORY_HOURS, toHour - HISTORY_DAYS * DAY_HOURS) as StepsRow[]
  const own = [...pending.values()].filter((one) => one.measure === MEASURES[measure] && one.operationNo === operationNo)
  const waiting = new Map<string, Sketch[]>()
  for (const { hour, sketch } of own) {
    for (const place of [`60 ${hour}`, `1440 ${Math.floor(hour / DAY_HOURS)}`])
      waiting.set(place, [...(waiting.get(place) ?? []), sketch])
  }
  const scope = `${projectNo} ${measure} ${operationNo}`
  const times = rows.map((row) => {
    const more = waiting.get(`${row.minutes} ${row.bucket}`)
    waiting.delete(`${row.minutes} ${row.bucket}`)
    return { minutes: row.minutes, bucket: row.bucket, steps: stepsOf(memory, scope, row, more) }
  })
  for (const [place, sketches] of waiting) {
    const [minutes, bucket] = place.split(' ').map(Number) as [number, number]
    times.push({ minutes, bucket, steps: stepsOfSketch(joined(null, sketches)) })
  }
  times.sort((a, b) => a.bucket - b.bucket)
  const key = `${scope} ${times.map(({ minutes, bucket, steps }) => `${minutes === 60 ? '' : 'd'}${bucket}:${marksOf(steps)}`).join(' ')}`
  const of = (minutes: number) => times.filter((time) => time.minutes === minutes).map(({ bucket, steps }) => ({ bucket, steps }))
  return { key, hours: of(60), days: of(1440) }
}

/** Counts of time only grow, so a row with as many runs is the same row; of costs, which may be taken back, the bytes say so. */
function stepsOf(memory: TelemetryConnection['memory'], scope: string, row: StepsRow, more: Sketch[] | undefined): ValueSteps {
  if (more) return stepsOfSketch(joined(row.bins, more))
  const key = `${scope} ${row.minutes} ${row.bucket} ${Buffer.from(row.bins).toString('latin1')}`
  const known = memory.take(VALUE_STEPS).recall(key)
  if (known) return known
  const steps = stepsOfSketch(joined(row.bins, []))
  memory.take(VALUE_STEPS).keep(key, steps, 200 + key.length + steps.above.byteLength)
  return steps
}

function joined(bins: Uint8Array | null, more: readonly Sketch[]): Sketch {
  const sketch = createSketch()
  if (bins !== null) sketch.join(bins)
  for (const one of more) for (const [bin, count] of one.changes()) sketch.add(bin, count)
  return sketch
}

function exemplarsOf(
  db: SqliteDatabase,
  { projectNo }: OutlierScope,
  { measure, pending, operationNo }: OperationReading,
  hour: number,
): Exemplar[] {
  const packed = db
    .prepare(
      'select exemplars from sketch_rollup where project_no = ? and measure = ? and operation_no = ? and minutes = 60 and bucket = ?',
    )
    .pluck()
    .get(projectNo, MEASURES[measure], operationNo, hour) as Uint8Array | undefined
  const waiting = pending.get(`${MEASURES[measure]} ${operationNo} ${hour}`)?.exemplars ?? []
  return joinExemplars([...(packed ? unpackExemplars(packed) : []), ...waiting])
}
