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
/** Rows of minutes in one transaction, some 2 ms; more only where a single minute has more. */
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

/** Folds the oldest minutes of one project; false where none are over. */
function prepare({ db, write }: RetainedStore, { counts, minutes, minute, what, hours }: Counts) {
  const folded = db.prepare('select next_minute from hour_folded where project_no = ? and counts = ?').pluck()
  const among = `from ${minutes} where project_no = @projectNo and ${minute} >= @from and ${minute} < @to`
  const first = db.prepare(`select min(${minute}) ${among}`).pluck()
  const beyond = db.prepare(`select ${minute} ${among} order by ${minute} limit 1 offset ${ROWS_PER_STEP}`).pluck()
  const add = db.prepare(
    `insert into ${hours} (project_no, event_hour, ${what}, ${counts})
     select project_no, event_minute / 60, ${what}, sum(${counts}) ${among}
       and event_minute between ${minute} - ${BEFORE_ARRIVAL_MINUTES} and ${minute} + ${AFTER_ARRIVAL_MINUTES}
     group by event_minute / 60, ${what}
     on conflict do update set ${counts} = ${counts} + excluded.${counts}`,
  )
  const setFolded = db.prepare(
    'insert into hour_folded values (?, ?, ?) on conflict do update set next_minute = excluded.next_minute',
  )
  return (projectNo: number, overMinute: number): boolean => {
    const next = (folded.get(projectNo, counts) as number | undefined) ?? 0
    const from = first.get({ projectNo, from: next, to: overMinute }) as number | null
    if (from === null) return false
    const full = beyond.get({ projectNo, from, to: overMinute }) as number | undefined
    const to = full === undefined ? overMinute : Math.max(full, from + 1)
    write(() => {
      add.run({ projectNo, from, to })
      setFolded.run(projectNo, counts, to)
    })
    return true
  }
}
