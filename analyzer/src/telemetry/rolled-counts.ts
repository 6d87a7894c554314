import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type MinutePart, readMinutePart } from '@loopkit/shared/database/telemetry/minute-part'
import { coverWindow, type WindowCover } from '@loopkit/shared/rollup/cover-window'
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

const REST_ROWS = {
  runs: `select operation_no, event_minute, sum(runs) from run_count
    where project_no = ? and received_minute = ? and (event_minute, operation_no) > (?, ?) group by operation_no, event_minute`,
  failures: `select fingerprint_no, event_minute, sum(failures) from failure_count
    where project_no = ? and decided_minute = ? and (event_minute, fingerprint_no) > (?, ?) group by fingerprint_no, event_minute`,
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
  const upTo = (mark.get(projectNo, counts) as number | undefined) ?? 0
  const part = readMinutePart(db, projectNo, counts)
  const cover = coverWindow(fromMinute, toMinute, part === null ? upTo : upTo + 1)
  const rows = db
    .prepare(
      'select what_no, total, bars from count_rollup where project_no = ? and counts = ? and minutes = ? and bucket >= ? and bucket < ?',
    )
    .raw()
  for (const { minutes: width, from, to } of cover.wide) {
    for (const [whatNo, total, bars] of rows.iterate(projectNo, counts, width, from, to) as Iterable<[number, number, Buffer]>) {
      const count = countOf(whatNo)
      count.total += total
      readBars(bars, (minute, part) => void count.bars.push([minute, part]))
    }
  }
  const add = ([whatNo, minute, total]: [number, number, number]) => {
    const count = countOf(whatNo)
    count.total += total
    count.bars.push([minute, total])
  }
  const single = db.prepare(MINUTE_ROWS[counts]).raw()
  for (const [from, to] of cover.minutes)
    for (const row of single.iterate(projectNo, from, to) as Iterable<[number, number, number]>) add(row)
  if (part !== null && isInWide(cover, upTo)) for (const row of readRest(db, counts, { projectNo, minute: upTo, part })) add(row)
  return found
}

/** Whether a row of the cover stands for this minute. */
function isInWide({ wide }: WindowCover, minute: number): boolean {
  return wide.some(({ minutes, from, to }) => minute >= from * minutes && minute < to * minutes)
}

/** Rows of a minute that is in the hours in part: those that are not. */
function readRest(
  db: SqliteDatabase,
  counts: 'runs' | 'failures',
  { projectNo, minute, part }: { projectNo: number; minute: number; part: MinutePart },
): Iterable<[number, number, number]> {
  const rest = db.prepare(REST_ROWS[counts]).raw()
  return rest.iterate(projectNo, minute, part.eventMinute, part.whatNo) as Iterable<[number, number, number]>
}

/** What of it came from a minute of event on. */
export function countFrom({ bars }: WindowCount, fromMinute: number): number {
  return bars.reduce((sum, [minute, part]) => (minute >= fromMinute ? sum + part : sum), 0)
}
