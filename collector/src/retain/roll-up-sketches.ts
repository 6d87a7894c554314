import { type Exemplar, joinExemplars, packExemplars, unpackExemplars } from '@loopkit/shared/rollup/exemplars'
import { addBins, createSketch, type Sketch } from '@loopkit/shared/rollup/sketch'
import { packDeltas, type ReadDelta, type SketchDelta, unpackDeltas } from '@loopkit/shared/rollup/sketch-delta'
import type { RetainedStore } from './retained-store.ts'

/** Adds what commits and decisions measured to the hour and the day of its event. */
export interface SketchRollUp {
  /** At most one short transaction; false when all are in that waited when it was first asked: what comes meanwhile waits for the others. */
  rollNext(): boolean
}

/** Deltas that one step reads, and their bytes: what many commits left of one operation is one change of its rows. */
const DELTAS_PER_STEP = 200
const BYTES_PER_STEP = 1024 ** 2
/** Rows of hours that it writes, some 3 ms with those of days. What is left stays as one delta for the next. */
const ROWS_PER_STEP = 150
/** Rows of hours that a project may begin in one hour of arrival: telemetry that mints names must not fill the disk. */
const NEW_ROWS_PER_HOUR_MAX = 10_000
const DAY_HOURS = 24

interface DeltaRow {
  delta_no: number
  project_no: number
  received_hour: number
  deltas: Uint8Array
}

interface Added {
  projectNo: number
  measure: number
  operationNo: number
  bucket: number
  receivedHour: number
  sketch: Sketch
  exemplars: Exemplar[]
}

/** What was taken goes with the row that said so, in one transaction: each goes in once, whatever ends the process. */
export function createSketchRollUp(store: RetainedStore): SketchRollUp {
  const newest = store.db.prepare('select max(delta_no) from sketch_delta').pluck()
  const waiting = store.db.prepare('select * from sketch_delta where delta_no <= ? order by delta_no limit ?')
  const remove = store.statement('delete from sketch_delta where delta_no between ? and ?')
  const leave = store.statement('insert into sketch_delta (delta_no, project_no, received_hour, deltas) values (?, ?, ?, ?)')
  const prepared = prepareRows(store)
  // Under load a commit or two come in during each step: without an end each would be a step, and a sync, of its own.
  let upTo: number | null = null
  return {
    rollNext() {
      upTo ??= newest.get() as number | null
      const found = upTo === null ? [] : withinBytes(waiting.iterate(upTo, DELTAS_PER_STEP) as Iterable<DeltaRow>)
      if (found.length === 0) {
        upTo = null
        return false
      }
      const rows = prepared()
      const { added, left } = takeSome(found)
      const days = joinDays(added)
      const changed = [...added.map((one) => rows.joined(one, 60)), ...days.map((one) => rows.joined(one, 1440))]
      store.write(() => {
        for (const save of changed) save?.()
        remove.run(found[0]!.delta_no, found.at(-1)!.delta_no)
        // There are no more of them than were removed.
        left.forEach(
          ({ row, deltas }, n) => void leave.run(found[n]!.delta_no, row.project_no, row.received_hour, packDeltas(deltas)),
        )
      })
      return true
    },
  }
}

function withinBytes(rows: Iterable<DeltaRow>): DeltaRow[] {
  const found: DeltaRow[] = []
  let bytes = 0
  for (const row of rows) {
    if (found.length > 0 && bytes + row.deltas.length > BYTES_PER_STEP) break
    found.push(row)
    bytes += row.deltas.length
  }
  return found
}

interface Left {
  row: DeltaRow
  deltas: SketchDelta[]
}

/** All that is known of the first so many operations and hours; the rest by project and hour of arrival. */
function takeSome(found: readonly DeltaRow[]): { added: Added[]; left: Left[] } {
  const added = new Map<string, Added>()
  const left = new Map<string, Left>()
  for (const row of found) {
    for (const delta of unpackDeltas(row.deltas)) {
      if (added.size < ROWS_PER_STEP || added.has(keyOf(row, delta))) addDelta(added, row, delta)
      else {
        const place = `${row.project_no} ${row.received_hour}`
        const known = left.get(place) ?? { row, deltas: [] }
        left.set(place, known)
        known.deltas.push(delta)
      }
    }
  }
  return { added: [...added.values()], left: [...left.values()] }
}

function keyOf({ project_no }: DeltaRow, { measure, operationNo, hour }: SketchDelta): string {
  return `${project_no} ${measure} ${operationNo} ${hour}`
}

function addDelta(added: Map<string, Added>, row: DeltaRow, delta: ReadDelta): void {
  const { measure, operationNo, hour } = delta
  const key = keyOf(row, delta)
  const own = { projectNo: row.project_no, measure, operationNo, bucket: hour }
  const known = added.get(key) ?? { ...own, receivedHour: 0, sketch: createSketch(), exemplars: [] }
  added.set(key, known)
  known.receivedHour = Math.max(known.receivedHour, row.received_hour)
  addBins(known.sketch, delta.added)
  for (const bin of delta.takenBack) known.sketch.add(bin, -1)
  if (delta.exemplars.length > 0) known.exemplars = joinExemplars([...known.exemplars, ...delta.exemplars])
}

/** What is added to hours, as it is to be added to days: each once, without exemplars. */
function joinDays(hours: readonly Added[]): Added[] {
  const days = new Map<string, Added>()
  for (const { sketch, ...own } of hours) {
    const bucket = Math.floor(own.bucket / DAY_HOURS)
    const key = `${own.projectNo} ${own.measure} ${own.operationNo} ${bucket}`
    const known = days.get(key) ?? { ...own, bucket, exemplars: [], sketch: createSketch() }
    days.set(key, known)
    known.receivedHour = Math.max(known.receivedHour, own.receivedHour)
    known.sketch.join(sketch.toBytes())
  }
  return [...days.values()]
}

function prepareRows({ statement }: RetainedStore) {
  const key = 'project_no = ? and measure = ? and operation_no = ? and minutes = ? and bucket = ?'
  const get = statement(`select last_received_hour, bins, exemplars from sketch_rollup where ${key}`)
  const put = statement('insert or replace into sketch_rollup values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const begun = statement(
    `select count(*) as rows from (select 1 from sketch_rollup where project_no = ? and minutes = 60 and last_received_hour >= ?
     limit ${NEW_ROWS_PER_HOUR_MAX})`,
  )
  /** Asked once a step. */
  const createIsFull = () => {
    const known = new Map<string, boolean>()
    return (projectNo: number, hour: number): boolean => {
      const key = `${projectNo} ${hour}`
      const isFull = known.get(key) ?? (begun.get(projectNo, hour) as { rows: number }).rows >= NEW_ROWS_PER_HOUR_MAX
      known.set(key, isFull)
      return isFull
    }
  }
  return (isFull = createIsFull()) => ({
    /** null: the project begins too many. */
    joined(added: Added, minutes: number): (() => void) | null {
      const { projectNo, measure, operationNo, bucket, receivedHour, sketch } = added
      const before = get.get(projectNo, measure, operationNo, minutes, bucket) as StoredRow | undefined
      if (!before && isFull(projectNo, receivedHour)) return null
      // From here on it is the whole row.
      if (before) sketch.join(before.bins)
      const exemplars = before ? joinExemplars([...added.exemplars, ...unpackExemplars(before.exemplars)]) : added.exemplars
      const values = [Math.max(receivedHour, before?.last_received_hour ?? 0), sketch.total(), sketch.toBytes()]
      const packed = packExemplars(minutes === 60 ? exemplars : [])
      return () => void put.run(projectNo, measure, operationNo, minutes, bucket, ...values, packed)
    },
  })
}

interface StoredRow {
  last_received_hour: number
  bins: Uint8Array
  exemplars: Uint8Array
}
