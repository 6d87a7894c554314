import type { MessagePort } from 'node:worker_threads'
import type { SoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import type { ModelPrices } from '@loopkit/shared/span/price-call'
import type { RetainOptions, RetainReport } from '../retain/messages.ts'
import type { LineMemory } from '../write/messages.ts'
import type { Backlog } from './decider.ts'

export interface DecideWorkerData {
  telemetryPath: string
  controlPath: string
  quietMs: number
  decideAfterMs: number
  signalsOff: readonly string[]
  thresholds: SoftThresholds
  modelPrices: ModelPrices
  retain: RetainOptions
  /** See write-turn.ts. */
  writeTurn: SharedArrayBuffer
  /** To the writer; see decision-line.ts. */
  decisions: { port: MessagePort; line: LineMemory }
}

/** `disk_full`: a commit failed for want of space. */
export type DecideMessage = 'close' | 'disk_full'

/** Unsigned hashes of traces whose decision is committed, or why a turn failed. */
export type DecideReport =
  | { kind: 'decided'; hashes: BigUint64Array }
  | { kind: 'failed'; code: string; message: string }
  | ({ kind: 'backlog' } & Backlog)
  /** The file is open; told once, before anything else. */
  | { kind: 'ready' }
  | { kind: 'closed' }
  | { kind: 'housekeeping'; report: RetainReport }
