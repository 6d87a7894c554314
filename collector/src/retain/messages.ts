import type { SegmentDamage } from '@loopkit/shared/database/telemetry/segment-damage'

export interface RetainOptions {
  dataDir: string
  retentionDays: number
  retentionMaxBytes: number
  retentionEveryMs: number
  ballastMaxBytes: number
}

export type RetainReport =
  /** A pass that removed something: rows by table. */
  | { kind: 'retained'; removed: Record<string, number>; bytes: number; elapsedMs: number; longestStepMs: number }
  | { kind: 'merged'; segments: number; bytesBefore: number; bytesAfter: number; failure: string | null }
  /** Told each time it is seen. */
  | { kind: 'damaged'; damage: SegmentDamage }
  /** Told when it changes. */
  | { kind: 'space'; isFull: boolean; freeBytes: number }
  /** The wall clock is far ahead of the time that has passed: nothing is removed by it until it has stood for an hour. */
  | { kind: 'clock_jump'; state: 'seen' | 'believed' | 'undone'; aheadMs: number }
  /** Told when it changes: a reader keeps the write-ahead log from being emptied. */
  | { kind: 'log_held'; isHeld: boolean; logBytes: number }
