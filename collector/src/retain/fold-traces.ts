import {
  decodePage,
  encodePages,
  pageOf,
  pagesFor,
  RUN_MEMBERS_MAX,
  type TraceEntry,
} from '@loopkit/shared/database/telemetry/trace-page'
import { decodeMembers, type RunKind } from '@loopkit/shared/database/telemetry/trace-runs'
import { chooseFold } from './choose-fold.ts'
import type { RetainedStore } from './retained-store.ts'
import { createRunWriter, decisionEntries, prepareRun, type RunWriter, SET_FOLDED_TO, segmentEntries } from './write-run.ts'

/** Folds what says where traces are into few sorted runs, so that a look-up asks few of them. */
export interface TraceFolder {
  /** At most one short transaction; false when there is nothing to do. */
  foldNext(): boolean
}

/** Decisions that are folded together at least: each one that is not folded is asked for itself. */
const DECISIONS_MIN = 16
/** Segments folded together that were not when they were joined: some 20,000 entries. */
const SEGMENTS_PER_STEP = 16
/** Pages written or removed in one transaction: 0.25 MB, some 2 ms. */
const PAGES_PER_STEP = 32

interface Run {
  runId: number
  projectNo: number
  kind: RunKind
  members: Float64Array
  firstPage: number
  pages: number
}

interface Folding {
  store: RetainedStore
  statements: Statements
  writer: RunWriter
}

export function createTraceFolder(store: RetainedStore): TraceFolder {
  const folding: Folding = { store, statements: prepareStatements(store), writer: createRunWriter(store.db) }
  let joining: Generator<void> | null = null
  // What a process that ended left half written.
  store.write(() => folding.statements.dropUnfinished.run())

  function startJoining(): boolean {
    const runs = chooseRuns(folding.statements)
    if (runs !== null) joining = joinRuns(folding, runs)
    return runs !== null
  }

  return {
    foldNext() {
      if (joining === null) return removeGone(folding) || foldDecisions(folding) || foldSegments(folding) || startJoining()
      if (joining.next().done) joining = null
      return true
    },
  }
}

function foldDecisions({ store, statements, writer }: Folding): boolean {
  const projectNo = statements.foldable.get(DECISIONS_MIN) as number | undefined
  if (projectNo === undefined) return false
  const rows = statements.unfolded.all(projectNo, RUN_MEMBERS_MAX) as { decision_no: number; trace_hashes: Buffer }[]
  const entries = rows.flatMap(({ trace_hashes }, member) => decisionEntries(trace_hashes, member))
  const members = rows.map(({ decision_no }) => decision_no)
  const insert = prepareRun(writer, { projectNo, kind: 'decision' }, members, entries)
  store.write(() => {
    insert()
    for (const decisionNo of members) statements.setFolded.run(projectNo, decisionNo)
  })
  return true
}

/** Segments that stay as they are but were not folded when they were joined: those of a file from before there were runs. */
function foldSegments({ store, statements, writer }: Folding): boolean {
  const place = statements.behind.get() as { projectNo: number; kind: 'span' | 'log'; to: number } | undefined
  if (!place) return false
  const rows = statements.segments.all(place) as { first_commit: number; trace_hashes: Uint8Array }[]
  const members = rows.map(({ first_commit }) => first_commit)
  const entries = rows.flatMap(({ trace_hashes }, member) => segmentEntries(trace_hashes, member))
  const insert = prepareRun(writer, place, members, entries)
  const isLast = rows.length < SEGMENTS_PER_STEP
  store.write(() => {
    if (members.length > 0) insert()
    statements.setFoldedTo.run({ ...place, nextCommit: isLast ? place.to : members.at(-1)! + 1 })
  })
  return true
}

/** Neighbours that are to become one; null where there are none. */
function chooseRuns(statements: Statements): Run[] | null {
  for (const { projectNo, kind } of statements.crowded.all() as { projectNo: number; kind: RunKind }[]) {
    const rows = statements.runs.all(projectNo, kind) as (Omit<Run, 'members'> & { members: Uint8Array })[]
    const runs = rows.map((run): Run => ({ ...run, members: decodeMembers(run.members) }))
    const choice = chooseFold(runs.map(({ members }) => members.length))
    if (choice) return runs.slice(choice.from, choice.to)
  }
  return null
}

function removeGone({ store, statements }: Folding): boolean {
  const gone = statements.gone.get() as { runId: number; firstPage: number; pages: number } | undefined
  if (!gone) return false
  const { runId, firstPage, pages } = gone
  store.write(() => {
    const { changes } = statements.removePages.run(firstPage, firstPage + pages - 1)
    if (changes < PAGES_PER_STEP) statements.removeRun.run(runId)
  })
  return true
}

/** One run of several, some pages a turn; it is in use, and they are not, from its last turn on. */
function* joinRuns({ store, statements, writer }: Folding, runs: readonly Run[]): Generator<void> {
  const [{ projectNo, kind }] = runs as [Run]
  const members = runs.flatMap((run) => [...run.members])
  const pages = pagesFor(countEntries(statements, runs))
  const { runId, firstPage } = store.write(() => writer.insert({ projectNo, kind, members, pages, state: 0 }))
  yield
  for (let from = 0; from < pages; from += PAGES_PER_STEP) {
    const to = Math.min(pages, from + PAGES_PER_STEP)
    const entries = readEntries(statements, runs, { from, to, pages })
    store.write(() => {
      let pageNo = 0
      for (const page of encodePages(entries, pages)) {
        if (pageNo >= from && pageNo < to) writer.insertPage(firstPage + pageNo, page)
        pageNo++
      }
    })
    yield
  }
  store.write(() => {
    // Retention may have taken some meanwhile, and their pages.
    const isWhole = runs.every((run) => statements.state.get(run.runId) === 1)
    if (isWhole) for (const run of runs) statements.setState.run(2, run.runId)
    statements.setState.run(isWhole ? 1 : 2, runId)
  })
}

function countEntries(statements: Statements, runs: readonly Run[]): number {
  return runs.reduce(
    (sum, { firstPage, pages }) => sum + (statements.countEntries.get(firstPage, firstPage + pages - 1) as number),
    0,
  )
}

/** Entries whose hash falls into these of `pages` pages. */
function readEntries(
  statements: Statements,
  runs: readonly Run[],
  { from, to, pages }: { from: number; to: number; pages: number },
): TraceEntry[] {
  const entries: TraceEntry[] = []
  let shift = 0
  for (const run of runs) {
    const first = Math.floor((from / pages) * run.pages)
    const last = Math.min(run.pages - 1, Math.floor((to / pages) * run.pages))
    for (let page = first; page <= last; page++) {
      const bytes = statements.page.get(run.firstPage + page) as Uint8Array | undefined
      for (const entry of bytes ? decodePage(bytes, shift) : []) {
        const at = pageOf(entry.high, pages)
        if (at >= from && at < to) entries.push(entry)
      }
    }
    shift += run.members.length
  }
  return entries
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements({ db }: RetainedStore) {
  return {
    dropUnfinished: db.prepare('update trace_run set state = 2 where state <> 1 and state = 0'),
    foldable: db.prepare('select project_no from unfolded_decision group by project_no having count(*) >= ? limit 1').pluck(),
    unfolded: db.prepare(
      'select decision_no, trace_hashes from unfolded_decision where project_no = ? order by decision_no limit ?',
    ),
    setFolded: db.prepare('delete from unfolded_decision where project_no = ? and decision_no = ?'),
    behind: db.prepare(`
      select m.project_no as projectNo, m.kind, m.next_commit as "to" from merged m
      left join folded f on f.project_no = m.project_no and f.kind = m.kind
      where coalesce(f.next_commit, 0) < m.next_commit limit 1`),
    segments: db.prepare(`
      select first_commit, trace_hashes from segment where project_no = @projectNo and kind = @kind and first_commit < @to
        and first_commit >= coalesce((select next_commit from folded where project_no = @projectNo and kind = @kind), 0)
      order by first_commit limit ${SEGMENTS_PER_STEP}`),
    setFoldedTo: db.prepare(SET_FOLDED_TO),
    crowded: db.prepare(`
      select project_no as projectNo, kind from trace_run where state = 1 and length(members) < ${(RUN_MEMBERS_MAX / 2) * 8}
      group by project_no, kind having count(*) > 1`),
    runs: db.prepare(`
      select run_id as runId, project_no as projectNo, kind, members, first_page as firstPage, pages from trace_run
      where project_no = ? and kind = ? and state = 1 order by last_no`),
    gone: db.prepare(
      'select run_id as runId, first_page as firstPage, pages from trace_run where state <> 1 and state = 2 limit 1',
    ),
    removePages: db.prepare(`
      delete from trace_page where page_no in
        (select page_no from trace_page where page_no between ? and ? limit ${PAGES_PER_STEP})`),
    removeRun: db.prepare('delete from trace_run where run_id = ?'),
    page: db.prepare('select entries from trace_page where page_no = ?').pluck(),
    countEntries: db
      .prepare('select coalesce(sum(length(entries)), 0) / 6 from trace_page where page_no between ? and ?')
      .pluck(),
    state: db.prepare('select state from trace_run where run_id = ?').pluck(),
    setState: db.prepare('update trace_run set state = ? where run_id = ?'),
  }
}
