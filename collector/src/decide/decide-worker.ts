import { flushCompileCache } from 'node:module'
import { setPriority } from 'node:os'
import { platform } from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { createGarbageCollector } from '@loopkit/shared/runtime/garbage'
import { MARKER_KEYS } from '@loopkit/shared/signals/change-markers'
import { createJudgeFilter } from '@loopkit/shared/signals/judge-filter'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { createCostOf } from '@loopkit/shared/span/price-call'
import { createRetainer } from '../retain/retainer.ts'
import { createLogMoved } from '../write/log-moved.ts'
import { createPatientTurn } from '../write/write-turn.ts'
import { createDecider } from './decider.ts'
import { createDecisionLine } from './decision-line.ts'
import type { DecideMessage, DecideReport, DecideWorkerData } from './messages.ts'

const { telemetryPath, controlPath, quietMs, decideAfterMs, signalsOff, thresholds, modelPrices, retain, writeTurn, decisions } =
  workerData as DecideWorkerData
/** Time between two looks for traces to decide, in ms: a fraction of the quiet time, so that it adds little to it. */
const TICK_MS = Math.min(500, Math.max(20, quietMs / 4))
const AFTER_FAILURE_MS = 1_000
/** Counting what waits walks an index. */
const BACKLOG_EVERY_MS = 5_000
/** Of the time that deciding takes while much is to be decided: else nothing would be joined or removed then. */
const HOUSEKEEPING_SHARE = 0.25
/** Below every other thread: receiving goes before judging. */
const NICE = 10

// On Linux this names the calling thread; elsewhere it would slow the whole process down.
if (platform === 'linux') setPriority(0, NICE)

const decider = createDecider({
  telemetryPath,
  controlPath,
  quietMs,
  decideAfterMs,
  signalsOff: new Set(signalsOff as SignalType[]),
  thresholds,
  costOf: createCostOf(modelPrices),
  filter: createJudgeFilter(MARKER_KEYS),
  clock: systemClock,
  write: createDecisionLine(decisions.port, decisions.line),
})
const retainer = createRetainer(retain, {
  clock: systemClock,
  cpuMs,
  turn: createPatientTurn(writeTurn),
  onLogMoved: createLogMoved(writeTurn).tell,
  report: (told) => report({ kind: 'housekeeping', report: told }),
})
// Segments that were opened lie outside the heap: with large ones they were 100 MB.
const garbage = createGarbageCollector()
let decideDueMs = systemClock.monotonicMs() + TICK_MS
let retainDueMs = systemClock.monotonicMs() + TICK_MS
let backlogDueMs = systemClock.monotonicMs() + TICK_MS
let timer = setTimeout(turn, TICK_MS)
report({ kind: 'ready' })
flushCompileCache()

parentPort!.on('message', (message: DecideMessage) => {
  clearTimeout(timer)
  if (message === 'disk_full') {
    retainer.noteDiskFull()
    retainDueMs = 0
    timer = setTimeout(turn)
    return
  }
  decider.close()
  retainer.close()
  decisions.port.close()
  report({ kind: 'closed' })
  parentPort!.close()
})

/** Both share the thread, so that neither decides on segments that the other is about to join. */
function turn(): void {
  const startMs = cpuMs()
  if (isDue(decideDueMs)) decideDueMs = pausedUntil(attempt(decide))
  const tookMs = cpuMs() - startMs
  if (isDue(retainDueMs)) retainDueMs = pausedUntil(attempt(() => keepHouse(tookMs * HOUSEKEEPING_SHARE)))
  timer = setTimeout(turn, Math.max(0, Math.min(decideDueMs, retainDueMs) - systemClock.monotonicMs()))
}

/** For so long while there is something to do, at least once. */
function keepHouse(budgetMs: number): number {
  const endMs = cpuMs() + budgetMs
  for (;;) {
    const { pauseMs, hasMore } = retainer.turn()
    garbage.afterWork()
    if (!hasMore || cpuMs() >= endMs) return pauseMs
  }
}

/** Answers after how long it is to be done again. */
function decide(): number {
  if (retainer.isFull()) return TICK_MS
  if (isDue(backlogDueMs)) {
    report({ kind: 'backlog', ...decider.backlog() })
    backlogDueMs = pausedUntil(BACKLOG_EVERY_MS)
  }
  const { decided, mayHaveMore } = decider.decideBatch()
  garbage.afterWork()
  if (decided.length > 0) report({ kind: 'decided', hashes: BigUint64Array.from(decided) })
  return mayHaveMore ? 0 : TICK_MS
}

function attempt(work: () => number): number {
  try {
    return work()
  } catch (error) {
    const code = (error as { code?: string }).code ?? (error as Error).name
    if (code === 'SQLITE_FULL') retainer.noteDiskFull()
    report({ kind: 'failed', code, message: (error as Error).message })
    return AFTER_FAILURE_MS
  }
}

/** Of this thread. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function isDue(dueMs: number): boolean {
  return systemClock.monotonicMs() >= dueMs
}

function pausedUntil(pauseMs: number): number {
  return systemClock.monotonicMs() + pauseMs
}

function report(message: DecideReport): void {
  parentPort!.postMessage(message)
}
