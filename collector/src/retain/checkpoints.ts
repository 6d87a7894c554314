import { statSync } from 'node:fs'
import type { SqliteDatabase } from '@loopkit/shared/database/open'

/** Keeps the write-ahead log short, off the writer's thread. */
export interface Checkpoints {
  /** Moves into the file what no reader hinders. */
  passive(nowMs: number): LogState
  /** Empties the log if it holds anything and nobody uses it. */
  truncate(): void
}

export interface LogState {
  /** Of the log file. */
  bytes: number
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

export function createCheckpoints(db: SqliteDatabase, path: string, busyTimeoutMs: number): Checkpoints {
  const bytesOf = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  let progress: LogProgress | null = null
  return {
    passive(nowMs) {
      const [answer] = db.pragma('wal_checkpoint(PASSIVE)') as [{ busy: number; log: number; checkpointed: number }]
      // Busy: another connection is at it, and its result is not known here.
      if (answer.busy === 0) progress = noteProgress(progress, answer.log, answer.checkpointed, nowMs)
      return { bytes: bytesOf(), heldMs: progress === null ? 0 : nowMs - progress.sinceMs }
    },
    truncate() {
      if (bytesOf() === 0) return
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
