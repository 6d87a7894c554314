import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type MinutePart, readMinutePart } from '@loopkit/shared/database/telemetry/minute-part'
import { coverWindow, type Range, type WindowCover } from '@loopkit/shared/rollup/cover-window'
import { readBars } from '@loopkit/shared/rollup/minute-histogram'
import type { MinuteWindow } from '../../domain/window.ts'
import { memoryOf, type ReadMemory } from '../read-memory.ts'
import { divideByClosed } from './closed-buckets.ts'

/** How many events there were in minutes, each bar at its first minute. */
export interface Bars {
  minutes: number[]
  counts: number[]
}

/** Counts of one operation or fingerprint in a window, and when their events were. */
export interface WindowCount {
  total: number
  bars: Bars[]
}

export interface WindowCounts {
  byWhat: ReadonlyMap<number, WindowCount>
  /** Bars of all of them together. */
  all: Bars[]
}

/** What some minutes of arrival or decision counted. */
export interface CountedPart {
  byWhat: Map<number, { total: number; bars: Bars }>
  all: Bars
}

type Counts = 'runs' | 'failures'

/** A day's and what lies at its edges, of some thousand operations. */
const COUNTED = memoryOf<CountedPart>('counted', 8)

const MINUTES = {
  runs: { table: 'run_count', minute: 'received_minute', what: 'operation_no' },
  failures: { table: 'failure_count', minute: 'decided_minute', what: 'fingerprint_no' },
}

/**
 * Runs by operation, or failures by fingerprint: by days and hours as far as these are made, the rest by minutes. Minutes that are
 * added up are over, and so are hours and days of such: what they counted is remembered.
 */
export function readWindowCounts(
  { db, memory }: { db: SqliteDatabase; memory: ReadMemory },
  projectNo: number,
  counts: Counts,
  { fromMinute, toMinute }: MinuteWindow,
): WindowCounts {
  const mark = db.prepare('select up_to from rolled_up where project_no = ? and mark = ?').pluck()
  const upTo = (mark.get(projectNo, counts) as number | undefined) ?? 0
  const rest = readMinutePart(db, projectNo, counts)
  const cover = coverWindow(fromMinute, toMinute, rest === null ? upTo : upTo + 1)
  const counted = memory.take(COUNTED)
  const recalled = (name: string, range: Range, read: (range: Range) => CountedPart): CountedPart => {
    const key = `${projectNo} ${counts} ${name} ${range[0]} ${range[1]}`
    const known = counted.recall(key)
    if (known) return known
    const part = read(range)
    counted.keep(key, part, bytesOf(part))
    return part
  }
  const parts: CountedPart[] = []
  for (const { minutes: width, from, to } of cover.wide) {
    const oldest = db.prepare('select min(bucket) from count_rollup where project_no = ? and counts = ? and minutes = ?').pluck()
    const kept = { from: (oldest.get(projectNo, counts, width) as number | null) ?? to, to: Math.floor(upTo / width) }
    const { closed, open } = divideByClosed([from, to], kept)
    if (closed) parts.push(recalled(String(width), closed, (range) => readWide(db, { projectNo, counts, width }, range)))
    for (const range of open) parts.push(readWide(db, { projectNo, counts, width }, range))
  }
  for (const range of cover.minutes) {
    const { table, minute } = MINUTES[counts]
    const oldest = db.prepare(`select min(${minute}) from ${table} where project_no = ?`).pluck()
    const { closed, open } = divideByClosed(range, { from: (oldest.get(projectNo) as number | null) ?? range[1], to: upTo })
    if (closed) parts.push(recalled('1', closed, (of) => readMinutes(db, { projectNo, counts }, of)))
    for (const of of open) parts.push(readMinutes(db, { projectNo, counts }, of))
  }
  if (rest !== null && isInWide(cover, upTo)) parts.push(readRest(db, { projectNo, counts }, { minute: upTo, rest }))
  return together(parts)
}

/** Whether a row of the cover stands for this minute. */
function isInWide({ wide }: WindowCover, minute: number): boolean {
  return wide.some(({ minutes, from, to }) => minute >= from * minutes && minute < to * minutes)
}

function readWide(
  db: SqliteDatabase,
  { projectNo, counts, width }: { projectNo: number; counts: Counts; width: number },
  [from, to]: Range,
): CountedPart {
  const rows = db
    .prepare(
      'select what_no, total, bars from count_rollup where project_no = ? and counts = ? and minutes = ? and bucket >= ? and bucket < ?',
    )
    .raw()
    .iterate(projectNo, counts, width, from, to) as Iterable<[number, number, Buffer]>
  const counted = createCounted()
  for (const [whatNo, total, bars] of rows) {
    counted.addTotal(whatNo, total)
    readBars(bars, (minute, part) => void counted.addBar(whatNo, minute, part))
  }
  return counted.part()
}

interface MinuteSource {
  projectNo: number
  counts: Counts
}

function readMinutes(db: SqliteDatabase, { projectNo, counts }: MinuteSource, [from, to]: Range): CountedPart {
  const { table, minute, what } = MINUTES[counts]
  const rows = db.prepare(
    `select ${what}, event_minute, sum(${counts}) from ${table}
     where project_no = ? and ${minute} >= ? and ${minute} < ? group by ${what}, event_minute`,
  )
  return addUp(rows.raw().iterate(projectNo, from, to) as Iterable<MinuteRow>)
}

/** Rows of a minute that is in the hours in part: those that are not. */
function readRest(
  db: SqliteDatabase,
  { projectNo, counts }: MinuteSource,
  { minute: of, rest }: { minute: number; rest: MinutePart },
): CountedPart {
  const { table, minute, what } = MINUTES[counts]
  const rows = db.prepare(
    `select ${what}, event_minute, sum(${counts}) from ${table}
     where project_no = ? and ${minute} = ? and (event_minute, ${what}) > (?, ?) group by ${what}, event_minute`,
  )
  return addUp(rows.raw().iterate(projectNo, of, rest.eventMinute, rest.whatNo) as Iterable<MinuteRow>)
}

type MinuteRow = [whatNo: number, eventMinute: number, total: number]

function addUp(rows: Iterable<MinuteRow>): CountedPart {
  const counted = createCounted()
  for (const [whatNo, eventMinute, part] of rows) {
    counted.addTotal(whatNo, part)
    counted.addBar(whatNo, eventMinute, part)
  }
  return counted.part()
}

function createCounted() {
  const totals = new Map<number, number>()
  const barsOf = new Map<number, Map<number, number>>()
  const all = new Map<number, number>()
  const add = (bars: Map<number, number>, minute: number, part: number) => void bars.set(minute, (bars.get(minute) ?? 0) + part)
  return {
    addTotal: (whatNo: number, total: number) => void totals.set(whatNo, (totals.get(whatNo) ?? 0) + total),
    addBar(whatNo: number, minute: number, part: number) {
      const bars = barsOf.get(whatNo) ?? new Map<number, number>()
      barsOf.set(whatNo, bars)
      add(bars, minute, part)
      add(all, minute, part)
    },
    part: (): CountedPart => ({
      byWhat: new Map([...totals].map(([whatNo, total]) => [whatNo, { total, bars: toBars(barsOf.get(whatNo)) }])),
      all: toBars(all),
    }),
  }
}

function toBars(bars: ReadonlyMap<number, number> = new Map()): Bars {
  return { minutes: [...bars.keys()], counts: [...bars.values()] }
}

function together(parts: readonly CountedPart[]): WindowCounts {
  const byWhat = new Map<number, WindowCount>()
  for (const part of parts) {
    for (const [whatNo, { total, bars }] of part.byWhat) {
      const count = byWhat.get(whatNo) ?? { total: 0, bars: [] }
      byWhat.set(whatNo, count)
      count.total += total
      count.bars.push(bars)
    }
  }
  return { byWhat, all: parts.map(({ all }) => all) }
}

/** Two numbers a bar, twice: among its own and among all. */
const BAR_BYTES = 32
const WHAT_BYTES = 200

function bytesOf({ byWhat }: CountedPart): number {
  let bytes = 0
  for (const { bars } of byWhat.values()) bytes += WHAT_BYTES + BAR_BYTES * bars.minutes.length
  return bytes
}

/** What of it came from a minute of event on. */
export function countFrom({ bars }: Pick<WindowCount, 'bars'>, fromMinute: number): number {
  let sum = 0
  for (const { minutes, counts } of bars) {
    for (let at = 0; at < minutes.length; at++) if (minutes[at]! >= fromMinute) sum += counts[at]!
  }
  return sum
}
