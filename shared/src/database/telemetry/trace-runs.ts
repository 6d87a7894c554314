import type { SqliteDatabase } from '../open.ts'
import { createTraceFilter, type TraceFilter } from './trace-filter.ts'
import { ENTRIES_PER_PAGE, eachInPage, findInPage, pageOf, RUN_MEMBERS_MAX } from './trace-page.ts'

/** What a run's numbers name: commits of segments of spans or logs, or decisions. */
export type RunKind = 'span' | 'log' | 'decision'

/** Finds traces in the folded runs; what is not folded yet, its owner asks for itself. */
export interface TraceRuns {
  /** Each number that holds some of `hashes` (unsigned), with those. */
  find(projectNo: number, kind: RunKind, hashes: readonly bigint[]): Map<number, bigint[]>
}

export interface TraceRunsOptions {
  /**
   * Bytes for filters of the large runs, the newest first: for who asks for many traces at a time and would read every page.
   */
  filterMaxBytes?: number
  /** Traces asked for together from which on filters are made: for fewer, reading their pages is less. */
  filterFromTraces?: number
  /** Traces of each run whose members are remembered: for who asks for the same ones again and again. */
  rememberedMax?: number
}

/** A run never changes once it is in use. */
interface Run {
  members: Float64Array
  firstPage: number
  pages: number
  /** null: its pages are read. */
  filter: TraceFilter | null
  asked: Map<bigint, readonly number[]>
}

interface Wanted {
  hash: bigint
  high: number
  low: number
}

/** Runs remembered by a connection; some 2 kB each. */
const RUNS_REMEMBERED_MAX = 2_000
/** What is remembered of all runs together, against that of one. */
const ANSWERED_RUNS = 8
/** Projects of which it is remembered where their traces were found. */
const PROJECTS_ANSWERED_MAX = 4
/** Smaller runs are soon folded into others: a filter is not worth reading them. */
const FILTERED_MEMBERS_MIN = RUN_MEMBERS_MAX / 2

export function createTraceRuns(
  db: SqliteDatabase,
  { filterMaxBytes = 0, filterFromTraces = 0, rememberedMax = 0 }: TraceRunsOptions = {},
): TraceRuns {
  const list = db
    .prepare('select run_id from trace_run where project_no = ? and kind = ? and state = 1 order by last_no desc')
    .pluck()
  const { runOf, addFilter } = createKnownRuns(db, filterMaxBytes)
  const findIn = createFindIn(db, rememberedMax)
  const answered = createAnswered(ANSWERED_RUNS * rememberedMax)
  return {
    find(projectNo, kind, hashes) {
      const found = new Map<number, bigint[]>()
      const runIds = list.all(projectNo, kind) as number[]
      if (runIds.length === 0) return found
      const answers = answered(`${projectNo} ${kind}`, runIds)
      const missing = hashes.filter((hash) => !answers.has(hash))
      const wanted = missing
        .map((hash) => ({ hash, high: Number(BigInt.asUintN(64, hash) >> 32n), low: Number(BigInt.asUintN(32, hash)) }))
        .sort((a, b) => a.high - b.high)
      for (const runId of runIds) {
        const run = runOf(runId)
        if (wanted.length >= filterFromTraces) addFilter(run)
        findIn(run, wanted, found)
      }
      if (rememberedMax === 0) return found
      for (const hash of missing) answers.set(hash, [])
      for (const [number, held] of found) for (const hash of held) answers.get(hash)!.push(number)
      for (const hash of hashes) for (const number of answers.get(hash)!) addTo(found, number, hash)
      return found
    },
  }
}

/** Runs that were read before, some of them with a filter. */
function createKnownRuns(db: SqliteDatabase, filterMaxBytes: number) {
  const load = db.prepare('select members, first_page, pages from trace_run where run_id = ?')
  const loadPages = db.prepare('select entries from trace_page where page_no between ? and ?').pluck()
  const known = new Map<number, Run>()
  let filterBytes = 0
  return {
    runOf(runId: number): Run {
      const found = known.get(runId)
      if (found) return found
      const row = load.get(runId) as { members: Uint8Array; first_page: number; pages: number }
      const members = decodeMembers(row.members)
      const run: Run = { members, firstPage: row.first_page, pages: row.pages, filter: null, asked: new Map() }
      if (known.size >= RUNS_REMEMBERED_MAX) {
        known.clear()
        filterBytes = 0
      }
      known.set(runId, run)
      return run
    },
    addFilter(run: Run): void {
      if (run.filter !== null || run.members.length < FILTERED_MEMBERS_MIN || filterBytes >= filterMaxBytes) return
      const filter = createTraceFilter(run.pages * ENTRIES_PER_PAGE)
      const last = run.firstPage + run.pages - 1
      for (const page of loadPages.iterate(run.firstPage, last) as IterableIterator<Buffer>) eachInPage(page, filter.add)
      filterBytes += filter.bytes
      run.filter = filter
    },
  }
}

type FindIn = (run: Run, wanted: readonly Wanted[], found: Map<number, bigint[]>) => void

/** Looks into a page of a run for each trace, those that were not looked for before. */
function createFindIn(db: SqliteDatabase, rememberedMax: number): FindIn {
  const loadPage = db.prepare('select entries from trace_page where page_no = ?').pluck()
  return ({ members, firstPage, pages, filter, asked }, wanted, found) => {
    let at = -1
    let entries: Uint8Array = NOTHING
    for (const { hash, high, low } of wanted) {
      if (filter && !filter.mayHold(low, high)) continue
      let held = asked.get(hash)
      if (held === undefined) {
        const page = pageOf(high, pages)
        if (page !== at) entries = (loadPage.get(firstPage + page) as Uint8Array | undefined) ?? NOTHING
        at = page
        held = findInPage(entries, high, low)
        if (asked.size >= rememberedMax) asked.clear()
        if (rememberedMax > 0) asked.set(hash, held)
      }
      for (const member of held) addTo(found, members[member]!, hash)
    }
  }
}

/** What was found before, as long as the runs are the same. */
function createAnswered(max: number): (of: string, runIds: readonly number[]) => Map<bigint, number[]> {
  const known = new Map<string, { runs: string; answers: Map<bigint, number[]> }>()
  return (of, runIds) => {
    const runs = runIds.join()
    const before = known.get(of)
    if (before?.runs === runs && before.answers.size <= max) return before.answers
    if (known.size >= PROJECTS_ANSWERED_MAX) known.clear()
    const answers = new Map<bigint, number[]>()
    known.set(of, { runs, answers })
    return answers
  }
}

/** All traces of a kind, by the words of their hashes; of the low word only the upper 8 bits are kept. */
export function eachFoldedTrace(db: SqliteDatabase, kind: RunKind, visit: (low: number, high: number) => void): void {
  const pages = db
    .prepare(`
      select p.entries from trace_run r join trace_page p on p.page_no between r.first_page and r.first_page + r.pages - 1
      where r.kind = ? and r.state = 1`)
    .pluck()
  for (const entries of pages.iterate(kind) as IterableIterator<Buffer>) eachInPage(entries, visit)
}

const NOTHING = new Uint8Array(0)

export function addTo(found: Map<number, bigint[]>, number: number, hash: bigint): void {
  const known = found.get(number)
  if (!known) found.set(number, [hash])
  else if (!known.includes(hash)) known.push(hash)
}

export function encodeMembers(members: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(members).buffer)
}

export function decodeMembers(bytes: Uint8Array): Float64Array {
  return new Float64Array(new Uint8Array(bytes).buffer)
}
