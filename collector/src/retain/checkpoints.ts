import { statSync } from 'node:fs'
import type { SqliteDatabase } from '@loopkit/shared/database/open'

/** Keeps the write-ahead log short, off the writer's thread. */
export interface Checkpoints {
  /** Moves into the file what no reader hinders. */
  passive(nowMs: number): LogState
  /** Empties the log file if nobody uses it and it is larger than what is kept of it between commits, or nothing `isKept`. */
  truncate(isKept: boolean): void
}

export interface LogState {
  /** Of the log file. */
  bytes: number
  /** Of pages in the log that are not in the file yet. */
  pendingBytes: number
  /** A reader has held the log back for this long; 0 while it moves on. */
  heldMs: number
}

/** Frames of the log and how many of them are in the file. */
export interface LogProgress {
  frames: number
  moved: number
  /** When `moved` last changed, or everything was moved. */
  sinceMs: number
}

export function noteProgress(before: LogProgress | null, frames: number, moved: number, nowMs: number): LogProgress {
  const isHeld = before !== null && moved < frames && moved === before.moved
  return { frames, moved, sinceMs: isHeld ? before.sinceMs : nowMs }
}

/** Frames from which on the log is worth beginning anew: 8 MB. */
const BEGIN_ANEW_FRAMES = 1_024
/** A log file of this size stays, to be written over: a commit into a growing file costs twice as much. */
const KEPT_BYTES = 24 * 1024 ** 2

export function createCheckpoints(db: SqliteDatabase, path: string, busyTimeoutMs: number, onMoved: () => void): Checkpoints {
  const bytesOf = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const pageBytes = db.pragma('page_size', { simple: true }) as number
  let progress: LogProgress | null = null
  return {
    passive(nowMs) {
      const [answer] = db.pragma('wal_checkpoint(PASSIVE)') as [{ busy: number; log: number; checkpointed: number }]
      // Busy: another connection is at it, and its result is not known here.
      if (answer.busy === 0) {
        progress = noteProgress(progress, answer.log, answer.checkpointed, nowMs)
        if (answer.log >= BEGIN_ANEW_FRAMES && answer.checkpointed === answer.log) onMoved()
      }
      const pendingBytes = progress === null ? 0 : (progress.frames - progress.moved) * pageBytes
      return { bytes: bytesOf(), pendingBytes, heldMs: progress === null ? 0 : nowMs - progress.sinceMs }
    },
    truncate(isKept) {
      if (bytesOf() <= (isKept ? KEPT_BYTES : 0)) return
      // Waiting for a reader here would keep the writer waiting too.
      db.pragma('busy_timeout = 0')
      try {
        db.pragma('wal_checkpoint(TRUNCATE)')
      } catch (error) {
        if (!String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) throw error
      } finally {
        db.pragma(`busy_timeout = ${busyTimeoutMs}`)
      }
    },
  }
}
