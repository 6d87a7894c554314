import type { MessagePort } from 'node:worker_threads'
import type { RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import type { RefusalCode } from '../receive/outcome.ts'

/** What main thread and writer share, made once: handing shared memory over with each group was dearer than the group. */
export interface LineMemory {
  /** Of group-memory.ts. */
  groups: SharedArrayBuffer
  cells: SharedArrayBuffer
}

/** One body of a group, as the writer needs it. */
export interface BodyToCommit {
  projectNo: number
  recordKind: RecordKind
  body: Uint8Array
  spans: number
  newSpans: number
  /** Trace id and span id of spans that replace an unended one: 24 bytes each. */
  replaced: Uint8Array
  /** Pairs of words of trace hashes. */
  traces: Uint32Array
  ledger: [what: string, count: number][]
}

/** What one transaction stores. */
export interface CommitGroup {
  kind: 'commit'
  group: number
  bodies: BodyToCommit[]
  ledger: [projectNo: number, what: string, count: number][]
  keyUses: [keyHash: Uint8Array, atMs: number][]
}

/** A group on its way to the writer: its bodies and their numbers lie in shared memory, since each object costs a clone. */
export interface PackedGroup extends Omit<CommitGroup, 'bodies'> {
  memory: SharedArrayBuffer | ArrayBuffer
  /** In place of the bytes of the one body there is: it was too large to copy. */
  moved: Uint8Array<ArrayBuffer> | null
  bodies: number
  /** Of the few bodies that have one. */
  ledgers: { position: number; ledger: BodyToCommit['ledger'] }[]
}

export type WriterMessage = PackedGroup | { kind: 'close' }

/** Where a commit's time went, in ms. */
export interface CommitTimings {
  /** Redacting, indexing, compressing. */
  readMs: number
  /** Waiting for the turn to write, and the rows. */
  writeMs: number
  /** The COMMIT statement, which ends with the fsync. */
  syncMs: number
}

export type WriterReply =
  | {
      kind: 'committed'
      group: number
      commit: number
      receivedMs: number
      /** Positions of bodies that were left out because reading them failed: a bug of ours, told one by one. */
      failed: number[]
      failure: string | null
      redacted: number
      timings: CommitTimings
    }
  | {
      kind: 'failed'
      group: number
      code: RefusalCode
      message: string
      /** The disk lied about a write: only a restart finds out what is there. */
      isFatal: boolean
    }
  /** The file is open; told once, before anything else. */
  | { kind: 'ready' }
  | { kind: 'closed' }

export interface WriterData {
  /** Of telemetry.db. */
  path: string
  redact: boolean
  warmsUp: boolean
  signalsOff: readonly string[]
  /** See write-turn.ts. */
  writeTurn: SharedArrayBuffer
  line: LineMemory
  /** The deciding thread's; see decision-line.ts. */
  decisions: MessagePort
}
