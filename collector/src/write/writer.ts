import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { redactTraces } from '@loopkit/shared/span/redact/redact-traces'
import { createDictionary } from './dictionary.ts'
import { createSpanIndexer, latin1 } from './index-spans.ts'
import type { BodyToCommit, CommitGroup, WriterReply } from './messages.ts'
import { createOpenTraces } from './open-traces.ts'
import { packProject } from './pack-project.ts'
import { createShapeMemo, type ShapeMemo, type ShapeRules } from './shape-memo.ts'
import { explainStorageError } from './storage-error.ts'
import { createRowWriter, type ProjectCommit } from './write-rows.ts'
import { noTurn, type WriteTurn } from './write-turn.ts'

/** The one writer of spans: each group is one transaction, durable when `commit` answers. */
export interface Writer {
  commit(group: CommitGroup): WriterReply
  noteDecided(hashes: BigUint64Array): void
  close(): void
}

export interface WriterOptions {
  path: string
  rules: ShapeRules
  redact: boolean
  clock: Clock
  turn?: WriteTurn
}

/** Pages of the write-ahead log at which the writer itself checkpoints; the decider does it long before, off this thread. */
const AUTO_CHECKPOINT_PAGES = 16_384

interface OpenStore {
  db: SqliteDatabase
  rows: ReturnType<typeof createRowWriter>
  openTraces: ReturnType<typeof createOpenTraces>
  lastCommit: number
  lastReceivedMs: number
}

export function createWriter({ path, rules, redact, clock, turn = noTurn }: WriterOptions): Writer {
  let store: OpenStore | null = openStore(path, turn)
  const memos = createMemos(rules)

  function commit(group: CommitGroup): WriterReply {
    const { projects, failed, failure, redacted } = readBodies(group.bodies, rules, memos, redact)
    const packed = projects.map((project) => packProject(project, group.bodies))
    try {
      store ??= openStore(path, turn)
      const times = { commit: store.lastCommit + 1, receivedMs: Math.max(store.lastReceivedMs, clock.nowMs()) }
      store.rows.write(times, packed, group)
      store.lastCommit = times.commit
      store.lastReceivedMs = times.receivedMs
      return { kind: 'committed', group: group.group, ...times, failed, failure, redacted }
    } catch (error) {
      const explained = explainStorageError(error)
      if (explained.mustReopen) closeStore()
      return { kind: 'failed', group: group.group, ...explained.answer }
    }
  }

  function closeStore(): void {
    store?.db.close()
    store = null
  }

  return { commit, noteDecided: (hashes) => store?.openTraces.noteDecided(hashes), close: closeStore }
}

function openStore(path: string, turn: WriteTurn): OpenStore {
  const db = openDatabase(path, { role: 'writer' })
  db.pragma(`wal_autocheckpoint = ${AUTO_CHECKPOINT_PAGES}`)
  const last = db.prepare('select max(last_commit) as lastCommit, max(received_max_ms) as lastReceivedMs from segment').get() as {
    lastCommit: number | null
    lastReceivedMs: number | null
  }
  const openTraces = createOpenTraces(db)
  return {
    db,
    openTraces,
    rows: createRowWriter(db, createDictionary(db), openTraces, turn),
    lastCommit: last.lastCommit ?? 0,
    lastReceivedMs: last.lastReceivedMs ?? 0,
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
  const byProject = new Map<number, { positions: number[]; redacted: number }>()
  bodies.forEach((body, position) => {
    attempt(position, () => {
      const count = redact ? redactTraces(body.body) : 0
      redacted += count
      const project = byProject.get(body.projectNo) ?? { positions: [], redacted: 0 }
      byProject.set(body.projectNo, project)
      project.positions.push(position)
      project.redacted += count
    })
  })
  const projects = [...byProject].map(([projectNo, { positions, redacted: count }]): ProjectCommit => {
    const memo = memos(projectNo)
    const whole = indexTogether(positions, memo)
    if (whole) return { projectNo, positions, index: whole, redacted: count }
    const readable = positions.filter((position) => attempt(position, () => void indexOf([position], memo)))
    return { projectNo, positions: readable, index: indexOf(readable, memo), redacted: count }
  })
  return { projects: projects.filter(({ positions }) => positions.length > 0), failed, failure, redacted }

  function indexTogether(positions: readonly number[], memo: ShapeMemo) {
    try {
      return indexOf(positions, memo)
    } catch {
      // Which of them it was is found out one by one.
      return null
    }
  }

  function indexOf(positions: readonly number[], memo: ShapeMemo) {
    const indexer = createSpanIndexer(rules, memo)
    for (const position of positions) indexer.add(bodies[position]!.body, replacedKeys(bodies[position]!.replaced))
    return indexer.finish()
  }
}

const NONE: ReadonlySet<string> = new Set()

function replacedKeys(replaced: Uint8Array): ReadonlySet<string> {
  if (replaced.length === 0) return NONE
  const keys = new Set<string>()
  for (let at = 0; at < replaced.length; at += 24) keys.add(latin1(replaced.subarray(at, at + 24)))
  return keys
}
