export interface LookupWorkerData {
  /** Of telemetry.db. */
  path: string
}

export interface LookupJob {
  id: number
  projectNo: number
  /** Trace id and span id of each span asked for, 24 bytes each. */
  refs: Uint8Array
}

export type LookupResult = { id: number; stored: Uint8Array } | { id: number; failed: string }
