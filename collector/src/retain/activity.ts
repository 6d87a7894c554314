import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { Clock } from '@loopkit/shared/runtime/clock'

/** Whether spans come in, as a connection sees that others commit. */
export interface Activity {
  isBusy(): boolean
  /** Nothing has come in for a while, and no more is expected. */
  isQuiet(): boolean
  /** Everything is joined that will be until there is something new. */
  settle(): void
  isSettled(): boolean
}

/** Without a commit for this long the store is idle. */
const IDLE_AFTER_MS = 2_000
/** Exporters send every 5 to 10 s: their log file is kept in between. */
const QUIET_AFTER_MS = 15_000
/** Segments that nobody adds to are joined when they are old enough: looked for this often. */
const SETTLED_FOR_MS = 600_000

export function createActivity(db: SqliteDatabase, { monotonicMs }: Clock): Activity {
  let version: unknown = null
  let changedMs = Number.NEGATIVE_INFINITY
  let settledMs = Number.NEGATIVE_INFINITY
  return {
    isBusy() {
      const now = db.pragma('data_version', { simple: true })
      if (now !== version) {
        changedMs = monotonicMs()
        settledMs = Number.NEGATIVE_INFINITY
      }
      version = now
      return monotonicMs() - changedMs < IDLE_AFTER_MS
    },
    isQuiet: () => monotonicMs() - changedMs >= QUIET_AFTER_MS,
    settle() {
      settledMs = monotonicMs()
    },
    isSettled: () => monotonicMs() - settledMs < SETTLED_FOR_MS,
  }
}

export interface Timers {
  /** True once every so often. */
  isDue(name: string, everyMs: number): boolean
}

export function createTimers({ monotonicMs }: Clock): Timers {
  const lastMs = new Map<string, number>()
  return {
    isDue(name, everyMs) {
      const nowMs = monotonicMs()
      if (nowMs - (lastMs.get(name) ?? Number.NEGATIVE_INFINITY) < everyMs) return false
      lastMs.set(name, nowMs)
      return true
    },
  }
}
