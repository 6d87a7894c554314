import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { readTraceHashKey } from '@loopkit/shared/database/telemetry/open-telemetry'
import { createTraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import { createTraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import type { AttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { SoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import type { CostOf } from '@loopkit/shared/span/price-call'
import { createDictionary } from '../write/dictionary.ts'
import { noTurn } from '../write/write-turn.ts'
import { createDecisionTransaction, type WriteDecisions } from './decision-transaction.ts'
import { describeDecision, type TraceDecision } from './describe-decision.ts'
import { createCountCapped } from './fingerprint-cap.ts'
import { createStoredJudge } from './judge-stored.ts'
import { createOpenRows, type OpenTrace } from './open-rows.ts'
import { createProjectRules } from './project-rules.ts'

/** Judges traces that have been quiet long enough, in the background, on a connection of its own. */
export interface Decider {
  /** Decides at most one batch. Throws what SQLite throws; the batch is then as it was. */
  decideBatch(): DecidedBatch
  backlog(): Backlog
  close(): void
}

/** Traces that are yet to be decided; most of them because they are not quiet yet. */
export interface Backlog {
  undecided: number
  /** Since the first span of the one that came first; null without any. */
  oldestMs: number | null
  /** Projects whose failures are no longer all told apart. */
  cappedProjects: number
}

export interface DecidedBatch {
  /** Unsigned hashes. */
  decided: bigint[]
  /** The batch was full: more traces may wait. */
  mayHaveMore: boolean
}

export interface DeciderOptions {
  telemetryPath: string
  controlPath: string
  quietMs: number
  decideAfterMs: number
  signalsOff: ReadonlySet<SignalType>
  thresholds?: SoftThresholds
  costOf?: CostOf
  filter: AttributeFilter
  clock: Clock
  /** Without it the decider writes on its own connection. */
  write?: WriteDecisions
}

/** Traces judged together: their segments are opened once. A joined segment of the demo capture holds some 350 that failed. */
const BATCH_TRACES = 400
/** Traces decided in one transaction, some 1.5 ms: commits of spans wait for its end. */
const TRANSACTION_TRACES = 40
/** Traces that never get quiet are looked for this often within their age limit; finding them walks all that are active. */
const AGED_CHECKS = 20
const AGED_CHECK_MIN_MS = 1_000
/** For filters of where older traces are: some 70 M spans of which one in four begins a trace. */
const FILTER_MAX_BYTES = 24 * 1024 ** 2
const CACHE_KIB = 2_048
const BUSY_TIMEOUT_MS = 2_000

export function createDecider(options: DeciderOptions): Decider {
  const { telemetryPath, controlPath, quietMs, decideAfterMs, signalsOff, thresholds, costOf, filter, clock } = options
  const db = openStore(telemetryPath)
  const hasher = createTraceHasher(readTraceHashKey(db)!)
  const judge = createStoredJudge({
    db,
    hasher,
    index: createTraceIndex(db, { filterMaxBytes: FILTER_MAX_BYTES }),
    filter,
    signalsOff,
    thresholds,
    costOf,
    isOver: ({ lastReceivedMs }) => lastReceivedMs <= clock.nowMs() - decideAfterMs,
  })
  const write = options.write ?? createDecisionTransaction(db, createDictionary(db), noTurn)
  const projectIds = createProjectIds(controlPath)
  const projectRules = createProjectRules(controlPath)
  const open = createOpenRows(db)
  const countCapped = createCountCapped(db)
  let agedCheckedMs = Number.NEGATIVE_INFINITY

  function pick(): OpenTrace[] {
    const nowMs = clock.nowMs()
    const rows = open.quiet(nowMs - quietMs, nowMs - decideAfterMs, BATCH_TRACES)
    const isAgedCheckDue = clock.monotonicMs() - agedCheckedMs >= Math.max(AGED_CHECK_MIN_MS, decideAfterMs / AGED_CHECKS)
    if (!isAgedCheckDue) return rows
    agedCheckedMs = clock.monotonicMs()
    return [...rows, ...open.aged(nowMs - quietMs, nowMs - decideAfterMs, BATCH_TRACES)]
  }

  return {
    decideBatch() {
      const traces = pick()
      const decisions: TraceDecision[] = []
      for (const [projectNo, own] of Map.groupBy(traces, ({ projectNo: no }) => no)) {
        const projectId = projectIds.find(projectNo)
        const rules = projectRules.find(projectNo)
        if (projectId === undefined || rules === undefined) continue
        if (projectId === null) open.drop(own)
        else for (const judging of judge({ projectNo, projectId, rules }, own)) decisions.push(describeDecision(judging))
      }
      const decided: bigint[] = []
      for (let from = 0; from < decisions.length; from += TRANSACTION_TRACES)
        decided.push(...write(decisions.slice(from, from + TRANSACTION_TRACES), clock.nowMs()))
      return { decided: decided.map((hash) => BigInt.asUintN(64, hash)), mayHaveMore: decided.length >= BATCH_TRACES }
    },
    backlog() {
      const { traces: undecided, firstReceivedMs } = open.waiting()
      const oldestMs = firstReceivedMs === null ? null : Math.max(0, clock.nowMs() - firstReceivedMs)
      return { undecided, oldestMs, cappedProjects: countCapped() }
    },
    close() {
      projectIds.close()
      projectRules.close()
      db.close()
    },
  }
}

function openStore(path: string): SqliteDatabase {
  const db = openDatabase(path, { role: 'writer', busyTimeoutMs: BUSY_TIMEOUT_MS })
  // Segments are read through it once, in their order.
  db.pragma(`cache_size = -${CACHE_KIB}`)
  // The retainer checkpoints, on this thread too.
  db.pragma('wal_autocheckpoint = 0')
  return db
}

interface ProjectIds {
  /** null: there is no such project (any more); undefined: control.db cannot be read now. */
  find(projectNo: number): string | null | undefined
  close(): void
}

/** Fingerprints are made with the project's id, which only control.db knows. An id never changes. */
function createProjectIds(path: string): ProjectIds {
  const known = new Map<number, string>()
  let control: SqliteDatabase | null = null
  return {
    find(projectNo) {
      const id = known.get(projectNo)
      if (id !== undefined) return id
      try {
        control ??= openDatabase(path, { role: 'reader' })
        const found = control.prepare('select project_id from project where project_no = ?').pluck().get(projectNo)
        if (found === undefined) return null
        known.set(projectNo, found as string)
        return found as string
      } catch {
        control?.close()
        control = null
        return undefined
      }
    },
    close: () => control?.close(),
  }
}
