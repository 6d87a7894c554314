/** What a fuzzing thread is given. It takes whole blocks, `thread` of every `threads`. */
export interface FuzzWorkerData {
  seed: number
  /** Numbers of the first body and the one behind the last. */
  from: number
  to: number
  thread: number
  threads: number
  /** The number of the body under way, for whoever looks whether it still moves. */
  progress: SharedArrayBuffer
}

/** A promise broken, with the smallest body that still breaks it. */
export interface FuzzFailure {
  n: number
  message: string
  stack: string
  /** Signal and encoding. */
  what: string
  /** Base64 of protobuf, else JSON. */
  body: string
  /** Whether the body alone breaks it; else it takes the bodies before it in its block. */
  isAlone: boolean
}

export type FuzzCounts = Record<string, number>

export type FuzzReport =
  | { kind: 'block'; bodies: number; counts: FuzzCounts; slowestMs: number }
  | { kind: 'failure'; failure: FuzzFailure }

/** Bodies that share a corpus and the memory of spans seen; a block can be run again alone. */
export const BLOCK_BODIES = 10_000
