import { createMinuteHistogram, type MinuteHistogram } from '@loopkit/shared/rollup/minute-histogram'
import type { RetainedStore } from './retained-store.ts'

/** Adds minutes of runs and failures that are over to the hour and the day of their arrival or decision. */
export interface CountRollUp {
  /** At most one short transaction; false when all are in. */
  rollNext(): boolean
}

/** Rows of minutes that a step reads, and rows that it writes, some 2 ms; more only where a single minute has more. */
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

/** Which minutes are in is written with them, so each goes in once, whatever ends the process. */
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
  minute: number
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

function prepare({ db, statement, write }: RetainedStore, { counts, table, minute, what }: Counts) {
  const last = db.prepare(`select max(${minute}) from ${table} where project_no = ?`).pluck()
  const mark = db.prepare('select up_to from rolled_up where project_no = ? and mark = ?').pluck()
  const minutes = statement(
    `select ${minute} as minute, event_minute, ${what} as what_no, sum(${counts}) as total from ${table}
     where project_no = ? and ${minute} >= ? and ${minute} < ? group by ${minute}, event_minute, ${what}`,
  )
  const first = db
    .prepare(`select min(${minute}) from ${table} where project_no = ? and ${minute} >= ? and ${minute} < ?`)
    .pluck()
  const rows = prepareRows(statement, counts)

  function readMinutes(projectNo: number, from: number, overMinute: number) {
    const added = new Map<string, Added>()
    let seen = 0
    let next = from
    for (; next < overMinute && seen < MINUTE_ROWS_PER_STEP && added.size < ROWS_PER_STEP; next++) {
      const found = minutes.all(projectNo, next, next + 1) as MinuteRow[]
      if (found.length === 0 && seen > 0) break
      seen += found.length
      for (const row of found) addRow(added, row)
    }
    return { added: [...added.values()], next }
  }

  return {
    /** What comes is never of a minute before the last there is: it may grow still, those before it are over. */
    lastMinute: (projects: readonly number[]) => Math.max(0, ...projects.map((no) => (last.get(no) as number | null) ?? 0)),
    next(projectNo: number, overMinute: number): boolean {
      const upTo = (mark.get(projectNo, counts) as number | undefined) ?? 0
      const from = first.get(projectNo, upTo, overMinute) as number | null
      if (from === null) return false
      const { added, next } = readMinutes(projectNo, from, overMinute)
      const changed = WIDTHS.flatMap((width) => joinBuckets(added, width).map((one) => rows.joined(projectNo, width, one)))
      write(() => {
        for (const save of changed) save()
        rows.setMark(projectNo, next)
      })
      return true
    },
  }
}

function addRow(added: Map<string, Added>, { minute, event_minute, what_no: whatNo, total }: MinuteRow): void {
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

function prepareRows(statement: RetainedStore['statement'], counts: Counts['counts']) {
  const get = statement(
    'select total, bars from count_rollup where project_no = ? and counts = ? and minutes = ? and bucket = ? and what_no = ?',
  )
  const put = statement('insert or replace into count_rollup values (?, ?, ?, ?, ?, ?, ?)')
  return {
    setMark: (projectNo: number, next: number) =>
      statement('insert or replace into rolled_up values (?, ?, ?)').run(projectNo, counts, next),
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
