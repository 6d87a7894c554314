export interface DecideWorkerData {
  telemetryPath: string
  controlPath: string
  quietMs: number
  decideAfterMs: number
  signalsOff: readonly string[]
}

/** Unsigned hashes of traces whose decision is committed, or why a turn failed. */
export type DecideReport =
  | { kind: 'decided'; hashes: BigUint64Array }
  | { kind: 'failed'; code: string; message: string }
  /** The file is open; told once, before anything else. */
  | { kind: 'ready' }
  | { kind: 'closed' }
