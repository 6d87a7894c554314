import {
  decodePage,
  encodePages,
  pageOf,
  pagesFor,
  RUN_MEMBERS_MAX,
  type TraceEntry,
} from '@loopkit/shared/database/telemetry/trace-page'
import { decodeMembers, encodeMembers, type RunKind } from '@loopkit/shared/database/telemetry/trace-runs'
import { chooseFold } from './choose-fold.ts'
import type { RetainedStore } from './retained-store.ts'

/** Folds what says where traces are into few sorted runs, so that a look-up asks few of them. */
export interface TraceFolder {
  /** At most one short transaction; false when there is nothing to do. */
  foldNext(): boolean
}

/** Decisions that are folded together at least: each one that is not folded is asked for itself. */
const DECISIONS_MIN = 16
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

export function createTraceFolder(store: RetainedStore): TraceFolder {
  const statements = prepareStatements(store)
  let joining: Generator<void> | null = null
  // What a process that ended left half written.
  store.write(() => statements.dropUnfinished.run())

  function foldDecisions(): boolean {
    const projectNo = statements.foldable.get(DECISIONS_MIN) as number | undefined
    if (projectNo === undefined) return false
    const rows = statements.unfolded.all(projectNo, RUN_MEMBERS_MAX) as { decision_no: number; trace_hashes: Buffer }[]
    const entries = rows.flatMap(({ trace_hashes }, member) => entriesOf(trace_hashes, member))
    const pages = pagesFor(entries.length)
    store.write(() => {
      const members = rows.map(({ decision_no }) => decision_no)
      const { firstPage } = insertRun(statements, { projectNo, kind: 'decision', members, pages, state: 1 })
      let pageNo = firstPage
      for (const page of encodePages(entries, pages)) statements.insertPage.run(pageNo++, page)
      for (const decisionNo of members) statements.setFolded.run(decisionNo)
    })
    return true
  }

  function startJoining(): boolean {
    for (const place of statements.crowded.all() as { projectNo: number; kind: RunKind }[]) {
      const runs = (statements.runs.all(place.projectNo, place.kind) as (Omit<Run, 'members'> & { members: Uint8Array })[]).map(
        (run): Run => ({ ...run, members: decodeMembers(run.members) }),
      )
      const choice = chooseFold(runs.map(({ members }) => members.length))
      if (!choice) continue
      joining = joinRuns(store, statements, runs.slice(choice.from, choice.to))
      return true
    }
    return false
  }

  function removeGone(): boolean {
    const gone = statements.gone.get() as { runId: number; firstPage: number; pages: number } | undefined
    if (!gone) return false
    const { runId, firstPage, pages } = gone
    store.write(() => {
      const { changes } = statements.removePages.run(firstPage, firstPage + pages - 1)
      if (changes < PAGES_PER_STEP) statements.removeRun.run(runId)
    })
    return true
  }

  return {
    foldNext() {
      if (joining !== null) {
        if (joining.next().done) joining = null
        return true
      }
      return removeGone() || foldDecisions() || startJoining()
    },
  }
}

/** One run of several, some pages a turn; it is in use, and they are not, from its last turn on. */
function* joinRuns(store: RetainedStore, statements: Statements, runs: readonly Run[]): Generator<void> {
  const [{ projectNo, kind }] = runs as [Run]
  const members = runs.flatMap((run) => [...run.members])
  const pages = pagesFor(countEntries(statements, runs))
  const { runId, firstPage } = store.write(() => insertRun(statements, { projectNo, kind, members, pages, state: 0 }))
  yield
  for (let from = 0; from < pages; from += PAGES_PER_STEP) {
    const to = Math.min(pages, from + PAGES_PER_STEP)
    const entries = readEntries(statements, runs, { from, to, pages })
    store.write(() => {
      let pageNo = 0
      for (const page of encodePages(entries, pages)) {
        if (pageNo >= from && pageNo < to) statements.insertPage.run(firstPage + pageNo, page)
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

function entriesOf(hashes: Buffer, member: number): TraceEntry[] {
  const entries: TraceEntry[] = []
  for (let at = 0; at < hashes.length; at += 8)
    entries.push({ high: hashes.readUInt32BE(at), low: hashes.readUInt32BE(at + 4), member })
  return entries
}

interface NewRun {
  projectNo: number
  kind: RunKind
  members: readonly number[]
  pages: number
  state: 0 | 1
}

/** Pages are taken behind those of every run, also of one that is still being written. */
function insertRun(statements: Statements, { projectNo, kind, members, pages, state }: NewRun) {
  const firstPage = statements.nextPage.get() as number
  const lastNo = members.reduce((most, no) => Math.max(most, no), 0)
  const { lastInsertRowid } = statements.insertRun.run(projectNo, kind, state, encodeMembers(members), lastNo, firstPage, pages)
  return { runId: Number(lastInsertRowid), firstPage }
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements({ db }: RetainedStore) {
  return {
    dropUnfinished: db.prepare('update trace_run set state = 2 where state = 0'),
    foldable: db
      .prepare('select project_no from decision where trace_hashes is not null group by project_no having count(*) >= ? limit 1')
      .pluck(),
    unfolded: db.prepare(`
      select decision_no, trace_hashes from decision where project_no = ? and trace_hashes is not null order by decision_no limit ?`),
    setFolded: db.prepare('update decision set trace_hashes = null where decision_no = ?'),
    crowded: db.prepare(`
      select project_no as projectNo, kind from trace_run where state = 1 and length(members) < ${(RUN_MEMBERS_MAX / 2) * 8}
      group by project_no, kind having count(*) > 1`),
    runs: db.prepare(`
      select run_id as runId, project_no as projectNo, kind, members, first_page as firstPage, pages from trace_run
      where project_no = ? and kind = ? and state = 1 order by last_no`),
    gone: db.prepare('select run_id as runId, first_page as firstPage, pages from trace_run where state = 2 limit 1'),
    removePages: db.prepare(`
      delete from trace_page where page_no in
        (select page_no from trace_page where page_no between ? and ? limit ${PAGES_PER_STEP})`),
    removeRun: db.prepare('delete from trace_run where run_id = ?'),
    nextPage: db.prepare('select coalesce(max(first_page + pages), 1) from trace_run').pluck(),
    insertRun: db.prepare(`
      insert into trace_run (project_no, kind, state, members, last_no, first_page, pages) values (?, ?, ?, ?, ?, ?, ?)`),
    insertPage: db.prepare('insert into trace_page (page_no, entries) values (?, ?)'),
    page: db.prepare('select entries from trace_page where page_no = ?').pluck(),
    countEntries: db
      .prepare('select coalesce(sum(length(entries)), 0) / 6 from trace_page where page_no between ? and ?')
      .pluck(),
    state: db.prepare('select state from trace_run where run_id = ?').pluck(),
    setState: db.prepare('update trace_run set state = ? where run_id = ?'),
  }
}
