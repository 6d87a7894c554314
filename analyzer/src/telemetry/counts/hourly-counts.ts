import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { BEFORE_ALL, readMinutePart } from '@loopkit/shared/database/telemetry/minute-part'

/** Hours of the event, since the epoch, the end not included. */
export interface HourWindow {
  fromHour: number
  toHour: number
}

/** By number of the operation or fingerprint: one count for each hour of the window. */
export type CountsByHour = ReadonlyMap<number, Float64Array>

interface Counts {
  counts: 'runs' | 'failures'
  hours: string
  minutes: string
  minute: string
  what: string
}

const RUNS: Counts = { counts: 'runs', hours: 'run_hour', minutes: 'run_count', minute: 'received_minute', what: 'operation_no' }
const FAILURES: Counts = {
  counts: 'failures',
  hours: 'failure_hour',
  minutes: 'failure_count',
  minute: 'decided_minute',
  what: 'fingerprint_no',
}

export const readHourlyRuns = (db: SqliteDatabase, projectNo: number, window: HourWindow, numbers: readonly number[]) =>
  readHourly(db, RUNS, { projectNo, ...window, numbers })

export const readHourlyFailures = (db: SqliteDatabase, projectNo: number, window: HourWindow, numbers: readonly number[]) =>
  readHourly(db, FAILURES, { projectNo, ...window, numbers })

interface HourQuestion extends HourWindow {
  projectNo: number
  numbers: readonly number[]
}

/** The folded hours and, in the same read transaction, the minutes that are not folded yet: each count once. */
function readHourly(
  db: SqliteDatabase,
  { counts, hours, minutes, minute, what }: Counts,
  { projectNo, fromHour, toHour, numbers }: HourQuestion,
): CountsByHour {
  const find = db.prepare('select next_minute from hour_folded where project_no = ? and counts = ?').pluck()
  const nextMinute = (find.get(projectNo, counts) as number | undefined) ?? 0
  const part = readMinutePart(db, projectNo, `hours.${counts}`) ?? BEFORE_ALL
  const wanted = `${what} in (select value from json_each(@numbers))`
  const rows = db
    .prepare(
      `select ${what}, event_hour, ${counts} from ${hours}
       where project_no = @projectNo and event_hour >= @fromHour and event_hour < @toHour and ${wanted}
       union all
       select ${what}, event_minute / 60, sum(${counts}) from ${minutes}
       where project_no = @projectNo and ${minute} >= @nextMinute and (${minute}, event_minute, ${what}) > (@nextMinute, @eventMinute, @whatNo)
         and event_minute >= @fromHour * 60 and event_minute < @toHour * 60
         and ${wanted}
       group by 1, 2`,
    )
    .raw()
    .iterate({ projectNo, fromHour, toHour, nextMinute, ...part, numbers: JSON.stringify(numbers) }) as Iterable<
    [number, number, number]
  >
  const byNumber = new Map<number, Float64Array>()
  for (const [number, hour, count] of rows) {
    const series = byNumber.get(number) ?? new Float64Array(toHour - fromHour)
    series[hour - fromHour]! += count
    byNumber.set(number, series)
  }
  return byNumber
}
