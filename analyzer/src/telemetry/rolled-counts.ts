import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { coverWindow } from '@loopkit/shared/rollup/cover-window'
import { readBars } from '@loopkit/shared/rollup/minute-histogram'
import type { MinuteWindow } from '../domain/window.ts'

/** Counts of one operation or fingerprint in a window, and when their events were: whole bars, each at its first minute. */
export interface WindowCount {
  total: number
  bars: [minute: number, count: number][]
}

const MINUTE_ROWS = {
  runs: `select operation_no as what_no, event_minute, sum(runs) as total from run_count
    where project_no = ? and received_minute >= ? and received_minute < ? group by operation_no, event_minute`,
  failures: `select fingerprint_no as what_no, event_minute, sum(failures) as total from failure_count
    where project_no = ? and decided_minute >= ? and decided_minute < ? group by fingerprint_no, event_minute`,
}

/** Runs by operation, or failures by fingerprint: by days and hours as far as these are made, the rest by minutes. */
export function readWindowCounts(
  db: SqliteDatabase,
  projectNo: number,
  counts: 'runs' | 'failures',
  { fromMinute, toMinute }: MinuteWindow,
): Map<number, WindowCount> {
  const found = new Map<number, WindowCount>()
  const countOf = (whatNo: number): WindowCount => {
    const count = found.get(whatNo) ?? { total: 0, bars: [] }
    found.set(whatNo, count)
    return count
  }
  const mark = db.prepare('select up_to from rolled_up where project_no = ? and mark = ?').pluck()
  const { wide, minutes } = coverWindow(fromMinute, toMinute, (mark.get(projectNo, counts) as number | undefined) ?? 0)
  const rows = db
    .prepare(
      'select what_no, total, bars from count_rollup where project_no = ? and counts = ? and minutes = ? and bucket >= ? and bucket < ?',
    )
    .raw()
  for (const { minutes: width, from, to } of wide) {
    for (const [whatNo, total, bars] of rows.iterate(projectNo, counts, width, from, to) as Iterable<[number, number, Buffer]>) {
      const count = countOf(whatNo)
      count.total += total
      readBars(bars, (minute, part) => void count.bars.push([minute, part]))
    }
  }
  const single = db.prepare(MINUTE_ROWS[counts]).raw()
  for (const [from, to] of minutes) {
    for (const [whatNo, minute, part] of single.iterate(projectNo, from, to) as Iterable<[number, number, number]>) {
      const count = countOf(whatNo)
      count.total += part
      count.bars.push([minute, part])
    }
  }
  return found
}

/** What of it came from a minute of event on. */
export function countFrom({ bars }: WindowCount, fromMinute: number): number {
  return bars.reduce((sum, [minute, part]) => (minute >= fromMinute ? sum + part : sum), 0)
}
