import { BEFORE_ALL, createWriteMinutePart, readMinutePart } from '@loopkit/shared/database/telemetry/minute-part'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { RetainedStore } from './retained-store.ts'

/** Adds minutes of runs and failures that are over to the hours of their events. */
export interface HourFolder {
  /** At most one short transaction; false when there is nothing to do. */
  foldNext(): boolean
}

const MINUTE_MS = 60_000
/** What arrived in a minute is committed by then; a commit takes milliseconds. */
const OVER_AFTER_MINUTES = 2
/** Rows of minutes in one transaction, some 2 ms: what waits for the lock waits no longer. */
const ROWS_PER_STEP = 500

/** Events further from their arrival have a wrong clock; nobody asks for hours as old. Ninety days before, one after, in minutes. */
const BEFORE_ARRIVAL_MINUTES = 129_600
const AFTER_ARRIVAL_MINUTES = 1_440

interface Counts {
  counts: 'runs' | 'failures'
  minutes: string
  minute: string
  what: string
  hours: string
}

const COUNTS: readonly Counts[] = [
  { counts: 'runs', minutes: 'run_count', minute: 'received_minute', what: 'operation_no', hours: 'run_hour' },
  { counts: 'failures', minutes: 'failure_count', minute: 'decided_minute', what: 'fingerprint_no', hours: 'failure_hour' },
]

/**
 * Each minute goes in once: the hours and how far they reach are written together. What a clock that was set back puts into minutes
 * that were folded is missed; nothing but trends is told by these hours.
 */
export function createHourFolder(store: RetainedStore, clock: Pick<Clock, 'nowMs'>): HourFolder {
  const folds = COUNTS.map((counts) => prepare(store, counts))
  const projects = store.db.prepare('select project_no from accepted').pluck()
  return {
    foldNext() {
      const overMinute = Math.floor(clock.nowMs() / MINUTE_MS) - OVER_AFTER_MINUTES
      return (projects.all() as number[]).some((projectNo) => folds.some((fold) => fold(projectNo, overMinute)))
    },
  }
}

/** A row of minutes, in their order. */
interface Row {
  minute: number
  event_minute: number
  what_no: number
  count: number
}

/** Folds the oldest rows of one project; false where none are over. */
function prepare({ db, write }: RetainedStore, { counts, minutes, minute, what, hours }: Counts) {
  const folded = db.prepare('select next_minute from hour_folded where project_no = ? and counts = ?').pluck()
  const mark = `hours.${counts}`
  const setPart = createWriteMinutePart(db)
  const first = db
    .prepare(`select min(${minute}) from ${minutes} where project_no = ? and ${minute} >= ? and ${minute} < ?`)
    .pluck()
  const read = db.prepare(
    `select ${minute} as minute, event_minute, ${what} as what_no, sum(${counts}) as count from ${minutes}
     where project_no = ? and ${minute} < ? and (${minute}, event_minute, ${what}) > (?, ?, ?)
     group by ${minute}, event_minute, ${what} order by ${minute}, event_minute, ${what} limit ${ROWS_PER_STEP}`,
  )
  const add = db.prepare(
    `insert into ${hours} (project_no, event_hour, ${what}, ${counts}) values (?, ?, ?, ?)
     on conflict do update set ${counts} = ${counts} + excluded.${counts}`,
  )
  const setFolded = db.prepare(
    'insert into hour_folded values (?, ?, ?) on conflict do update set next_minute = excluded.next_minute',
  )
  return (projectNo: number, overMinute: number): boolean => {
    const next = (folded.get(projectNo, counts) as number | undefined) ?? 0
    const from = first.get(projectNo, next, overMinute) as number | null
    if (from === null) return false
    const { eventMinute, whatNo } = (from === next && readMinutePart(db, projectNo, mark)) || BEFORE_ALL
    const rows = read.all(projectNo, overMinute, from, eventMinute, whatNo) as Row[]
    const last = rows.length < ROWS_PER_STEP ? null : rows.at(-1)!
    const added = byHour(rows)
    write(() => {
      for (const { hour, whatNo: number, count } of added) add.run(projectNo, hour, number, count)
      setFolded.run(projectNo, counts, last?.minute ?? overMinute)
      setPart(projectNo, mark, last && { eventMinute: last.event_minute, whatNo: last.what_no })
    })
    return true
  }
}

function byHour(rows: readonly Row[]): Iterable<{ hour: number; whatNo: number; count: number }> {
  const hours = new Map<string, { hour: number; whatNo: number; count: number }>()
  for (const { minute, event_minute, what_no: whatNo, count } of rows) {
    if (event_minute < minute - BEFORE_ARRIVAL_MINUTES || event_minute > minute + AFTER_ARRIVAL_MINUTES) continue
    const hour = Math.floor(event_minute / 60)
    const key = `${hour} ${whatNo}`
    const known = hours.get(key) ?? { hour, whatNo, count: 0 }
    hours.set(key, known)
    known.count += count
  }
  return hours.values()
}
