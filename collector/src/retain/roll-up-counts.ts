import {
  BEFORE_ALL,
  createWriteMinutePart,
  type MinutePart,
  readMinutePart,
} from '@loopkit/shared/database/telemetry/minute-part'
import { createMinuteHistogram, type MinuteHistogram } from '@loopkit/shared/rollup/minute-histogram'
import type { RetainedStore } from './retained-store.ts'

/** Adds minutes of runs and failures that are over to the hour and the day of their arrival or decision. */
export interface CountRollUp {
  /** At most one short transaction; false when all are in. */
  rollNext(): boolean
}

/** Rows of minutes that a step reads at most, and rows of each width that it writes, some 2 ms: what waits for the lock waits no longer. */
const MINUTE_ROWS_PER_STEP = 5_000
const ROWS_PER_STEP = 150
const WIDTHS = [60, 1440] as const

interface Counts {
  counts: 'runs' | 'failures'
  table: string
  minute: string
  what: string
}

const COUNTS: readonly Counts[] = [
  { counts: 'runs', table: 'run_count', minute: 'received_minute', what: 'operation_no' },
  { counts: 'failures', table: 'failure_count', minute: 'decided_minute', what: 'fingerprint_no' },
]

/** How far minutes are in, and rows of the one that is not wholly in, is written with them: each goes in once, whatever ends the process. */
export function createCountRollUp(store: RetainedStore): CountRollUp {
  const projects = store.db.prepare('select project_no from accepted').pluck()
  const rolls = COUNTS.map((counts) => prepare(store, counts))
  return {
    rollNext() {
      const all = projects.all() as number[]
      return rolls.some((roll) => {
        const overMinute = roll.lastMinute(all)
        return all.some((projectNo) => roll.next(projectNo, overMinute))
      })
    },
  }
}

interface MinuteRow {
  event_minute: number
  what_no: number
  total: number
}

interface Added {
  bucket: number
  whatNo: number
  total: number
  bars: MinuteHistogram
}

/** Where a step begins and where the next one does. */
interface Reached {
  minute: number
  /** null: at the beginning of the minute. */
  part: MinutePart | null
}

function prepare(store: RetainedStore, counted: Counts) {
  const { db, write } = store
  const { counts, table, minute } = counted
  const last = db.prepare(`select max(${minute}) from ${table} where project_no = ?`).pluck()
  const readAdded = createReadAdded(store, counted)
  const rows = prepareRows(store, counts)

  return {
    /** What comes is never of a minute before the last there is: it may grow still, those before it are over. */
    lastMinute: (projects: readonly number[]) => Math.max(0, ...projects.map((no) => (last.get(no) as number | null) ?? 0)),
    next(projectNo: number, overMinute: number): boolean {
      const found = readAdded(projectNo, rows.reached(projectNo), overMinute)
      if (found === null) return false
      const changed = WIDTHS.flatMap((width) => joinBuckets(found.added, width).map((one) => rows.joined(projectNo, width, one)))
      write(() => {
        for (const save of changed) save()
        rows.setReached(projectNo, found.next)
      })
      return true
    },
  }
}

/** Reads the next rows of minutes that are over, to so many rows that are to be written; null where there are none. */
function createReadAdded({ db, statement }: RetainedStore, { counts, table, minute, what }: Counts) {
  const first = db
    .prepare(`select min(${minute}) from ${table} where project_no = ? and ${minute} >= ? and ${minute} < ?`)
    .pluck()
  const rowsOf = statement(
    `select event_minute, ${what} as what_no, sum(${counts}) as total from ${table}
     where project_no = ? and ${minute} = ? and (event_minute, ${what}) > (?, ?)
     group by event_minute, ${what} order by event_minute, ${what} limit ?`,
  )
  return (projectNo: number, reached: Reached, overMinute: number): { added: Added[]; next: Reached } | null => {
    const from = first.get(projectNo, reached.minute, overMinute) as number | null
    if (from === null) return null
    const added = new Map<string, Added>()
    let next: Reached = from === reached.minute ? reached : { minute: from, part: null }
    for (let left = MINUTE_ROWS_PER_STEP; next.minute < overMinute && left > 0 && added.size < ROWS_PER_STEP; ) {
      const { eventMinute, whatNo } = next.part ?? BEFORE_ALL
      const found = rowsOf.all(projectNo, next.minute, eventMinute, whatNo, left) as MinuteRow[]
      if (found.length === 0 && left < MINUTE_ROWS_PER_STEP && next.part === null) break
      const taken = takeRows(added, next.minute, found)
      const last = found[taken - 1]
      const isWhole = taken === found.length && found.length < left
      next = isWhole || !last ? { minute: next.minute + 1, part: null } : { minute: next.minute, part: partOf(last) }
      left -= taken
    }
    return { added: [...added.values()], next }
  }
}

/** How many of them were added before there were enough rows to be written. */
function takeRows(added: Map<string, Added>, minute: number, found: readonly MinuteRow[]): number {
  let taken = 0
  for (const row of found) {
    if (added.size >= ROWS_PER_STEP) break
    addRow(added, minute, row)
    taken += 1
  }
  return taken
}

const partOf = ({ event_minute, what_no }: MinuteRow): MinutePart => ({ eventMinute: event_minute, whatNo: what_no })

function addRow(added: Map<string, Added>, minute: number, { event_minute, what_no: whatNo, total }: MinuteRow): void {
  const hour = Math.floor(minute / 60)
  const key = `${hour} ${whatNo}`
  const known = added.get(key) ?? { bucket: hour, whatNo, total: 0, bars: createMinuteHistogram() }
  added.set(key, known)
  known.total += total
  known.bars.add(event_minute, total)
}

/** What is added to hours, as it is to be added to wider buckets: each once. */
function joinBuckets(added: readonly Added[], width: number): Added[] {
  const joined = new Map<string, Added>()
  for (const { bucket: hour, whatNo, total, bars } of added) {
    const bucket = Math.floor((hour * 60) / width)
    const key = `${bucket} ${whatNo}`
    const known = joined.get(key) ?? { bucket, whatNo, total: 0, bars: createMinuteHistogram() }
    joined.set(key, known)
    known.total += total
    known.bars.join(bars.toBytes())
  }
  return [...joined.values()]
}

function prepareRows({ db, statement }: RetainedStore, counts: Counts['counts']) {
  const mark = db.prepare('select up_to from rolled_up where project_no = ? and mark = ?').pluck()
  const setPart = createWriteMinutePart(db)
  const get = statement(
    'select total, bars from count_rollup where project_no = ? and counts = ? and minutes = ? and bucket = ? and what_no = ?',
  )
  const put = statement('insert or replace into count_rollup values (?, ?, ?, ?, ?, ?, ?)')
  return {
    reached: (projectNo: number): Reached => ({
      minute: (mark.get(projectNo, counts) as number | undefined) ?? 0,
      part: readMinutePart(db, projectNo, counts),
    }),
    setReached(projectNo: number, { minute, part }: Reached): void {
      statement('insert or replace into rolled_up values (?, ?, ?)').run(projectNo, counts, minute)
      setPart(projectNo, counts, part)
    },
    joined(projectNo: number, width: number, { bucket, whatNo, total, bars }: Added): () => void {
      const whole = createMinuteHistogram()
      const before = get.get(projectNo, counts, width, bucket, whatNo) as { total: number; bars: Uint8Array } | undefined
      if (before) whole.join(before.bars)
      whole.join(bars.toBytes())
      const bytes = whole.toBytes()
      return () => void put.run(projectNo, counts, width, bucket, whatNo, (before?.total ?? 0) + total, bytes)
    },
  }
}
