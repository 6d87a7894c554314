import { join } from 'node:path'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { WriteTurn } from '../write/write-turn.ts'
import { createActivity, createTimers, type Timers } from './activity.ts'
import { type Checkpoints, createCheckpoints, type LogState } from './checkpoints.ts'
import { createHourFolder } from './fold-hours.ts'
import { createTraceFolder } from './fold-traces.ts'
import { createKnownProjects } from './known-projects.ts'
import { createMerger } from './merger.ts'
import type { RetainOptions, RetainReport } from './messages.ts'
import { createPasses } from './passes.ts'
import { openRetainedStore, type RetainedStore } from './retained-store.ts'
import { createRollUp } from './roll-up.ts'
import { createScrubber, type Scrubber } from './scrubber.ts'
import { createSpaceWatch } from './space-watch.ts'
import { createStoredBytes } from './stored-bytes.ts'

/** The housekeeping of telemetry.db: what is kept no longer, small segments, the log, the disk. */
export interface Retainer {
  /** Does a little. Throws what SQLite and the disk throw. */
  turn(): RetainerTurn
  /** The disk is full: nothing else should write. */
  isFull(): boolean
  /** A write failed for want of space. */
  noteDiskFull(): void
  close(): void
}

export interface RetainerTurn {
  /** After how many ms it wants the next one. */
  pauseMs: number
  /** There is more to do than that. */
  hasMore: boolean
}

const CHECKPOINT_EVERY_MS = 500
const CHECKPOINT_NARROW_EVERY_MS = 50
const LOOK_AT_SPACE_EVERY_MS = 1_000
/** Whether there is something to fold is looked for this often. */
const FOLD_EVERY_MS = 500
/** A minute is folded into its hour soon after it is over. */
const FOLD_HOURS_EVERY_MS = 10_000
/** A diagnosis reads one by one what is not rolled up yet. */
const ROLL_UP_EVERY_MS = 5_000
const TRUNCATE_EVERY_MS = 2_000
/** One segment in quiet times costs a millisecond or two; 100,000 of them are seen in two days. */
const SCRUB_EVERY_MS = 2_000
/** A reader that holds the log back for this long is stuck: the analyzer ends its own after 30 s. */
const HELD_TOO_LONG_MS = 45_000
/** Pages given back in one go: 3.5 ms for 200 of them were measured. */
const VACUUM_PAGES = 64
/**
 * While spans come in, this share of a core at most goes into housekeeping: twice what joining needs at 20,000 spans/s. At
 * several times that it falls behind and catches up in quieter times.
 */
const BUSY_SHARE = 0.1
const BUSY_PAUSE_MIN_MS = 5
const IDLE_TURN_MS = 250
const BUSY_TIMEOUT_MS = 2_000

export interface RetainerDeps {
  clock: Clock
  /** Time that this thread has worked: what others keep it waiting does not make it slower still. */
  cpuMs(): number
  /** This thread's turn to write telemetry.db. */
  turn: WriteTurn
  /** Nearly all of the log is in the file, the writer may move the rest. */
  onLogMoved(): void
  report(report: RetainReport): void
}

export function createRetainer(options: RetainOptions, deps: RetainerDeps): Retainer {
  const { clock, cpuMs, turn: writeTurn, onLogMoved, report } = deps
  const { dataDir, retentionEveryMs } = options
  const path = join(dataDir, 'telemetry.db')
  const store = openRetainedStore(path, clock, BUSY_TIMEOUT_MS, writeTurn)
  const storedBytes = createStoredBytes(store.db)
  const projects = createKnownProjects(join(dataDir, 'control.db'))
  const merger = createMerger(store, storedBytes)
  const log = watchLog(createCheckpoints(store.db, path, BUSY_TIMEOUT_MS, onLogMoved), report)
  const space = watchSpace(options, report)
  const passes = createPasses({ ...options, store, projects, storedBytes }, clock, report)
  const activity = createActivity(store.db, clock)
  const timers = createTimers(clock)
  const scrubber = createScrubber(store.db)
  const foldings = createFoldings(store, clock, timers)

  function mergeOnce(): boolean {
    if (activity.isSettled()) return false
    const merged = merger.mergeNext(clock.nowMs())
    if (merged === 'idle') activity.settle()
    else if (merged !== 'nothing' && (merged.segments > 0 || merged.failure !== null)) report({ kind: 'merged', ...merged })
    return merged !== 'idle'
  }

  /** Does one thing; false when there is nothing to do. */
  function work(isBusy: boolean): boolean {
    if (timers.isDue('retention', space.isFull() ? LOOK_AT_SPACE_EVERY_MS : retentionEveryMs) && !passes.isRunning())
      passes.start()
    if (passes.isRunning()) passes.step()
    // A merge needs room for both the old and the new.
    else if (space.isFull()) return vacuumSome(store)
    else if (foldings.some((fold) => fold()) || mergeOnce()) return true
    else return !isBusy && vacuumSome(store)
    return true
  }

  return {
    turn() {
      const startMs = cpuMs()
      const isBusy = activity.isBusy() && !space.isFull()
      if (timers.isDue('space', LOOK_AT_SPACE_EVERY_MS) || space.isUrgent(isBusy)) space.look(log.pendingBytes())
      const checkpointEveryMs = space.isNarrow() ? CHECKPOINT_NARROW_EVERY_MS : CHECKPOINT_EVERY_MS
      if (timers.isDue('checkpoint', checkpointEveryMs)) log.checkpoint(clock.monotonicMs())
      if (work(isBusy)) {
        return { pauseMs: isBusy ? pauseAfter(cpuMs() - startMs) : 0, hasMore: true }
      }
      if (!isBusy && timers.isDue('truncate', space.isFull() ? CHECKPOINT_EVERY_MS : TRUNCATE_EVERY_MS))
        log.truncate(!activity.isQuiet() && !space.isNarrow() && !space.isFull())
      if (!isBusy && timers.isDue('scrub', SCRUB_EVERY_MS)) tellDamage(scrubber, report)
      return { pauseMs: Math.min(IDLE_TURN_MS, checkpointEveryMs), hasMore: false }
    },
    isFull: space.isFull,
    noteDiskFull: space.noteFailed,
    close() {
      projects.close()
      store.close()
    },
  }
}

/** So that no more than the share goes into housekeeping. */
function pauseAfter(tookMs: number): number {
  return Math.max(BUSY_PAUSE_MIN_MS, (tookMs * (1 - BUSY_SHARE)) / BUSY_SHARE)
}

function createFoldings(store: RetainedStore, clock: Clock, timers: Timers): (() => boolean)[] {
  return [
    createFolding(createTraceFolder(store), () => timers.isDue('fold', FOLD_EVERY_MS)),
    createFolding(createRollUp(store), () => timers.isDue('rollup', ROLL_UP_EVERY_MS)),
    createFolding(createHourFolder(store, clock), () => timers.isDue('hours', FOLD_HOURS_EVERY_MS)),
  ]
}

/** Folds a step; false when there is nothing to fold, or nothing was a moment ago. */
function createFolding(folder: { foldNext(): boolean }, isDue: () => boolean): () => boolean {
  let isFolding = false
  return () => {
    if (!isFolding && !isDue()) return false
    isFolding = folder.foldNext()
    return isFolding
  }
}

function tellDamage(scrubber: Scrubber, report: (report: RetainReport) => void): void {
  const damage = scrubber.step()
  if (damage !== null) report({ kind: 'damaged', damage })
}

/** Gives pages back to the file system; false when there are none. */
function vacuumSome({ db, write }: RetainedStore): boolean {
  if ((db.pragma('freelist_count', { simple: true }) as number) === 0) return false
  write(() => db.pragma(`incremental_vacuum(${VACUUM_PAGES})`))
  return true
}

function watchLog(checkpoints: Checkpoints, report: (report: RetainReport) => void) {
  let isHeld = false
  let pending = 0
  const note = ({ heldMs, bytes, pendingBytes }: LogState) => {
    pending = pendingBytes
    const isHeldNow = heldMs > HELD_TOO_LONG_MS
    if (isHeldNow !== isHeld) report({ kind: 'log_held', isHeld: isHeldNow, logBytes: bytes })
    isHeld = isHeldNow
  }
  const checkpoint = (nowMs: number) => note(checkpoints.passive(nowMs))
  return { checkpoint, truncate: checkpoints.truncate, pendingBytes: () => pending }
}

function watchSpace({ dataDir, ballastMaxBytes }: RetainOptions, report: (report: RetainReport) => void) {
  const watch = createSpaceWatch(dataDir, ballastMaxBytes)
  let isFull = false
  let isUrgent = true
  let isLaying = false
  let isNarrow = false
  return {
    isFull: () => isFull,
    /** The ballast is laid in quiet moments; while spans come in, a piece at each look. */
    isUrgent: (isBusy: boolean) => isUrgent || (isLaying && !isBusy),
    isNarrow: () => isNarrow,
    noteFailed() {
      isUrgent = true
      watch.noteFailed()
    },
    look(pendingLogBytes: number) {
      const state = watch.look(pendingLogBytes)
      isUrgent = state.isReserving
      isLaying = state.isLaying
      isNarrow = state.isNarrow
      if (state.isFull !== isFull) report({ kind: 'space', isFull: state.isFull, freeBytes: state.freeBytes })
      isFull = state.isFull
    },
  }
}
