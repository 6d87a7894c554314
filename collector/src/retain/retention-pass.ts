import { forgetWords } from '../write/dictionary.ts'
import type { KnownProjects } from './known-projects.ts'
import { removeDecisions } from './remove-decisions.ts'
import { PROJECT_ROWS, RECORD_ROWS, type RemovedRows, ROLLUP_ROWS, removeEach, removeRows } from './remove-rows.ts'
import { createSegmentRemover, type SegmentRemover } from './remove-segments.ts'
import type { RetainedStore } from './retained-store.ts'
import { type RetentionTerms, retentionTerms } from './retention-terms.ts'
import { retireRuns } from './retire-runs.ts'
import type { StoredBytes } from './stored-bytes.ts'
import { sweepFingerprints, sweepSessions } from './sweep-rows.ts'

export interface PassOptions {
  store: RetainedStore
  projects: KnownProjects
  storedBytes: StoredBytes
  retentionDays: number
  retentionMaxBytes: number
}

/** What one step removed, for the line about the pass. */
export interface Removed extends RemovedRows {
  bytes?: number
}

const MINUTE_MS = 60_000
/** A turn that found nothing: many projects must not be one long turn. */
const NOTHING: Removed = { table: 'segment', rows: 0 }

interface Pass extends PassOptions {
  terms: RetentionTerms
  segments: SegmentRemover
}

/**
 * One look for what is kept no longer: of deleted projects everything, then by age, then by bytes, then counts. Each turn
 * of the generator is at most one short transaction. `isSweep`: also the rows that only a walk of their table finds.
 * Without control.db nothing is removed, for it alone says what may go.
 */
export function* retentionPass(options: PassOptions, nowMs: number, isSweep: boolean): Generator<Removed> {
  const known = options.projects.list()
  if (known === null) return
  const terms = retentionTerms(known, options.retentionDays, nowMs)
  const segments = createSegmentRemover(options.store, options.storedBytes)
  const pass: Pass = { ...options, terms, segments }
  for (const projectNo of terms.deleted) yield* removeProject(pass, projectNo)
  for (const { projectNo, recordsBeforeMs } of terms.projects) yield* removeRecords(pass, projectNo, recordsBeforeMs, isSweep)
  yield* removeBeyondBytes(pass)
  for (const { projectNo } of terms.projects) yield* removeRollups(pass, projectNo, isSweep)
}

function* removeProject({ store, projects, segments }: Pass, projectNo: number): Generator<Removed> {
  yield NOTHING
  yield* removeSegments(segments, projectNo, Number.MAX_SAFE_INTEGER)
  const forget = forgetWords(store.db)
  let removed = 0
  for (const steps of [
    removeDecisions(store, projectNo, Number.MAX_SAFE_INTEGER),
    retireRuns(store, projectNo),
    ...PROJECT_ROWS.map((rows) => removeRows(store, rows, [projectNo])),
  ]) {
    for (const step of steps) {
      removed += step.rows
      yield step
    }
  }
  if (removed === 0) return
  store.write(forget)
  const removeUse = store.db.prepare('delete from key_use where key_hash = ?')
  yield* removeEach(store, 'key_use', projects.keyHashes(projectNo), (hash) => removeUse.run(hash).changes)
}

/** Segments that arrived before, and the rows that are worth nothing without them. */
function* removeRecords({ store, segments }: Pass, projectNo: number, beforeMs: number, isSweep: boolean): Generator<Removed> {
  yield NOTHING
  yield* removeSegments(segments, projectNo, beforeMs)
  yield* removeDecisions(store, projectNo, beforeMs)
  for (const rows of RECORD_ROWS) yield* removeRows(store, rows, [projectNo, beforeMs])
  yield* retireRuns(store, projectNo)
  if (isSweep) yield* sweepSessions(store, projectNo, beforeMs)
}

function* removeSegments(segments: SegmentRemover, projectNo: number, beforeMs: number): Generator<Removed> {
  for (;;) {
    const removed = segments.removeOldest(projectNo, beforeMs)
    if (removed === null) return
    yield { table: 'segment', rows: removed.segments, bytes: removed.bytes }
  }
}

/** Oldest first over all projects until what is left fits; then the rows of what went. */
function* removeBeyondBytes(pass: Pass): Generator<Removed> {
  const { store, segments, storedBytes, retentionMaxBytes } = pass
  while (storedBytes.countMore()) yield NOTHING
  const goneBeforeMs = new Map<number, number>()
  const oldest = prepareOldest(store)
  while (storedBytes.bytes() > retentionMaxBytes) {
    const [first, second] = oldest()
    if (!first) break
    // Up to where the next project's oldest begins, so that none loses newer records than another's older ones.
    const beforeMs = (second?.receivedMs ?? Number.MAX_SAFE_INTEGER - 1) + 1
    const removed = segments.removeOldest(first.projectNo, beforeMs, storedBytes.bytes() - retentionMaxBytes)
    if (removed === null) break
    goneBeforeMs.set(first.projectNo, removed.receivedMaxMs + 1)
    yield { table: 'segment', rows: removed.segments, bytes: removed.bytes }
  }
  for (const [projectNo, beforeMs] of goneBeforeMs) yield* removeRecords(pass, projectNo, beforeMs, true)
}

interface Oldest {
  projectNo: number
  receivedMs: number
}

/** The two projects with the oldest segments. Project 0 is none. */
function prepareOldest({ db }: RetainedStore): () => Oldest[] {
  const nextProject = db.prepare('select min(project_no) from segment where project_no > ?').pluck()
  const oldestOf = db.prepare('select min(received_max_ms) from segment where project_no = ?').pluck()
  return () => {
    const found: Oldest[] = []
    for (let no = nextProject.get(0) as number | null; no !== null; no = nextProject.get(no) as number | null)
      found.push({ projectNo: no, receivedMs: oldestOf.get(no) as number })
    return found.sort((a, b) => a.receivedMs - b.receivedMs).slice(0, 2)
  }
}

function* removeRollups({ store, terms }: Pass, projectNo: number, isSweep: boolean): Generator<Removed> {
  const beforeMinute = Math.floor(terms.rollupsBeforeMs / MINUTE_MS)
  for (const rows of ROLLUP_ROWS) yield* removeRows(store, rows, [projectNo, beforeMinute])
  if (isSweep) yield* sweepFingerprints(store, projectNo, terms.rollupsBeforeMs)
}
