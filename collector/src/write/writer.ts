import { createMarkWriter, type MarkWriter, readCommitMark } from '@loopkit/shared/database/guard/commit-mark'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { readLastCommit, readStoreId } from '@loopkit/shared/database/telemetry/last-commit'
import type { RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { createSegmentPacker, type SegmentPacker } from '@loopkit/shared/segment/pack-segment'
import { redactLogs, redactTraces } from '@loopkit/shared/span/redact/redact-traces'
import type { DecisionAnswer, DecisionBatch } from '../decide/decision-line.ts'
import { createDecisionTransaction, type WriteDecisions } from '../decide/decision-transaction.ts'
import { createDictionary } from './dictionary.ts'
import { createLogIndexer } from './index-logs.ts'
import { createSpanIndexer, latin1 } from './index-spans.ts'
import { noteStored } from './latency-counts.ts'
import type { LogMoved } from './log-moved.ts'
import type { BodyToCommit, CommitGroup, WriterReply } from './messages.ts'
import { createOpenTraces } from './open-traces.ts'
import { packProject } from './pack-project.ts'
import { createShapeMemo, type ShapeMemo, type ShapeRules } from './shape-memo.ts'
import { explainStorageError } from './storage-error.ts'
import { type CommitTimes, createRowWriter, type ProjectCommit } from './write-rows.ts'
import { noTurn, type WriteTurn } from './write-turn.ts'

/** The one writer of spans: each group is one transaction, durable when `commit` answers. */
export interface Writer {
  commit(group: CommitGroup): WriterReply
  /** One transaction for the deciding thread. Throws after a failed fsync, which the process must not outlive. */
  decide(batch: DecisionBatch): DecisionAnswer
  /** Another connection has committed decisions of these, as unsigned hashes. */
  noteDecided(hashes: BigUint64Array): void
  /** Everything about a body of spans but its transaction, for nothing: so that the code for it is compiled. */
  rehearse(body: Uint8Array): void
  /** Between two commits: moves the last frames of the write-ahead log into the file where that lets it begin anew. */
  tidyLog(): void
  close(): void
}

export interface WriterOptions {
  path: string
  rules: ShapeRules
  redact: boolean
  clock: Clock
  turn?: WriteTurn
  logMoved?: LogMoved
}

/** Pages of the write-ahead log at which the writer itself checkpoints; the background thread does it long before. */
const AUTO_CHECKPOINT_PAGES = 6_144

const NOTHING = new Uint8Array(0)
const NO_TRACES = new Uint32Array(0)

interface OpenStore {
  db: SqliteDatabase
  rows: ReturnType<typeof createRowWriter>
  openTraces: ReturnType<typeof createOpenTraces>
  writeDecisions: WriteDecisions
  lastCommit: number
  lastReceivedMs: number
  mark: MarkWriter
}

export function createWriter({ path, rules, redact, clock, turn = noTurn, logMoved }: WriterOptions): Writer {
  let store: OpenStore | null = openStore(path, turn, clock)
  const memos = createMemos(rules)
  const pack = createSegmentPacker()

  function commit(group: CommitGroup): WriterReply {
    const startMs = clock.monotonicMs()
    const { projects, failed, failure, redacted } = readBodies(group.bodies, rules, memos, redact)
    const packed = projects.map((project) => packProject(project, group.bodies, pack))
    try {
      store ??= openStore(path, turn, clock)
      const readMs = clock.monotonicMs() - startMs
      const times = nextTimes(store, packed.length > 0, clock)
      const syncMs = store.rows.write(times, packed, group)
      const timings = { readMs, writeMs: clock.monotonicMs() - startMs - readMs - syncMs, syncMs }
      if (packed.length > 0) store.mark.note(times.commit, times.receivedMs)
      noteSlowest(projects, memos)
      store.lastCommit = times.commit
      store.lastReceivedMs = times.receivedMs
      return { kind: 'committed', group: group.group, ...times, failed, failure, redacted, timings }
    } catch (error) {
      const explained = explainStorageError(error)
      if (explained.mustReopen) closeStore()
      return { kind: 'failed', group: group.group, ...explained.answer }
    }
  }

  function decide({ decisions, nowMs }: DecisionBatch): DecisionAnswer {
    try {
      store ??= openStore(path, turn, clock)
      const decided = store.writeDecisions(decisions, nowMs)
      store.openTraces.noteDecided(BigUint64Array.from(decided, (hash) => BigInt.asUintN(64, hash)))
      return { decided }
    } catch (error) {
      const { answer, mustReopen } = explainUndecided(error)
      if (mustReopen) closeStore()
      return answer
    }
  }

  function closeStore(): void {
    store?.mark.close()
    store?.db.close()
    store = null
  }

  function tidyLog(): void {
    if (!store || !logMoved?.take()) return
    try {
      store.db.pragma('wal_checkpoint(PASSIVE)')
    } catch (error) {
      // Ends the thread, and with it the process. Anything else the next commit meets too, and tells.
      if (explainStorageError(error).answer.isFatal) throw error
    }
  }

  const rehearse = (body: Uint8Array) => packForNothing(body, rules, redact, pack)
  return { commit, decide, rehearse, noteDecided: (hashes) => store?.openTraces.noteDecided(hashes), tidyLog, close: closeStore }
}

/** Counts alone are no commit of spans: numbers must have no gap but where spans were lost. */
function nextTimes({ lastCommit, lastReceivedMs }: OpenStore, hasSpans: boolean, { nowMs }: Clock): CommitTimes {
  return { commit: lastCommit + (hasSpans ? 1 : 0), receivedMs: Math.max(lastReceivedMs, nowMs()) }
}

function noteSlowest(projects: readonly ProjectCommit[], memos: Memos): void {
  for (const { projectNo, recordKind, index } of projects)
    if (recordKind === 'span') noteStored(memos(projectNo).slowestStored, index.latencies)
}

/** Throws what the process must not outlive. A bug in the decisions must not cost those who send spans. */
function explainUndecided(error: unknown): { answer: DecisionAnswer; mustReopen: boolean } {
  const { code, name, message } = error as Error & { code?: string }
  const { answer, mustReopen } = explainStorageError(error)
  if (answer.isFatal) throw error
  return { answer: { code: code ?? name, message }, mustReopen: mustReopen && code?.startsWith('SQLITE_') === true }
}

function packForNothing(body: Uint8Array, rules: ShapeRules, redact: boolean, pack: SegmentPacker): void {
  const bodies: BodyToCommit[] = [
    { projectNo: 0, recordKind: 'span', body, spans: 0, newSpans: 0, replaced: NOTHING, traces: NO_TRACES, ledger: [] },
  ]
  for (const project of readBodies(bodies, rules, createMemos(rules), redact).projects) packProject(project, bodies, pack)
}

function openStore(path: string, turn: WriteTurn, { monotonicMs }: Clock): OpenStore {
  const db = openDatabase(path, { role: 'writer' })
  db.pragma(`wal_autocheckpoint = ${AUTO_CHECKPOINT_PAGES}`)
  // A loss leaves a gap: numbers that were given once are not given again.
  const mark = readCommitMark(path)
  const last = readLastCommit(db)
  const openTraces = createOpenTraces(db)
  const dictionary = createDictionary(db)
  return {
    db,
    openTraces,
    writeDecisions: createDecisionTransaction(db, dictionary, turn),
    rows: createRowWriter(db, dictionary, openTraces, turn, monotonicMs),
    lastCommit: Math.max(last.commit, mark?.number ?? 0),
    lastReceivedMs: Math.max(last.receivedMs, mark?.atMs ?? 0),
    mark: createMarkWriter(path, readStoreId(db) ?? ''),
  }
}

type Memos = (projectNo: number) => ShapeMemo

/** Projects whose shapes are remembered; the one that was not heard of for longest goes first. */
const MEMOS_MAX = 32

function createMemos(rules: ShapeRules): Memos {
  const memos = new Map<number, ShapeMemo>()
  return (projectNo) => {
    const memo = memos.get(projectNo) ?? createShapeMemo(rules)
    memos.delete(projectNo)
    memos.set(projectNo, memo)
    if (memos.size > MEMOS_MAX) memos.delete(memos.keys().next().value!)
    return memo
  }
}

interface ReadBodies {
  projects: ProjectCommit[]
  failed: number[]
  failure: string | null
  redacted: number
}

/** Redacts and indexes the bodies of a group. One that cannot be read is left out and named; the others go on. */
function readBodies(bodies: readonly BodyToCommit[], rules: ShapeRules, memos: Memos, redact: boolean): ReadBodies {
  const failed: number[] = []
  let failure: string | null = null
  let redacted = 0
  const attempt = (position: number, read: () => void): boolean => {
    try {
      read()
      return true
    } catch (error) {
      failed.push(position)
      failure = `${(error as Error).name}: ${(error as Error).message}`
      return false
    }
  }
  const byPlace = new Map<string, Omit<ProjectCommit, 'index'>>()
  bodies.forEach((body, position) => {
    attempt(position, () => {
      const { projectNo, recordKind } = body
      const count = redact ? REDACT[recordKind](body.body) : 0
      redacted += count
      const place = `${projectNo} ${recordKind}`
      const project = byPlace.get(place) ?? { projectNo, recordKind, positions: [], redacted: 0 }
      byPlace.set(place, project)
      project.positions.push(position)
      project.redacted += count
    })
  })
  const projects = [...byPlace.values()].map((project): ProjectCommit => {
    const { positions } = project
    const whole = indexTogether(project, positions)
    if (whole) return { ...project, index: whole }
    const readable = positions.filter((position) => attempt(position, () => void indexOf(project, [position])))
    return { ...project, positions: readable, index: indexOf(project, readable) }
  })
  return { projects: projects.filter(({ positions }) => positions.length > 0), failed, failure, redacted }

  function indexTogether(project: Place, positions: readonly number[]) {
    try {
      return indexOf(project, positions)
    } catch {
      // Which of them it was is found out one by one.
      return null
    }
  }

  function indexOf({ projectNo, recordKind }: Place, positions: readonly number[]) {
    const indexer = recordKind === 'log' ? createLogIndexer(rules) : createSpanIndexer(rules, memos(projectNo))
    for (const position of positions) indexer.add(bodies[position]!.body, replacedKeys(bodies[position]!.replaced))
    return indexer.finish()
  }
}

type Place = Pick<ProjectCommit, 'projectNo' | 'recordKind'>

const REDACT: { readonly [kind in RecordKind]: (body: Uint8Array) => number } = { span: redactTraces, log: redactLogs }

const NONE: ReadonlySet<string> = new Set()

function replacedKeys(replaced: Uint8Array): ReadonlySet<string> {
  if (replaced.length === 0) return NONE
  const keys = new Set<string>()
  for (let at = 0; at < replaced.length; at += 24) keys.add(latin1(replaced.subarray(at, at + 24)))
  return keys
}
