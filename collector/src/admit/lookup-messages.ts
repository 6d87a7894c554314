export interface LookupWorkerData {
  /** Of telemetry.db. */
  path: string
}

export interface LookupJob {
  id: number
  projectNo: number
  /** Of each span asked for, SPAN_REF_BYTES each. */
  refs: Uint8Array
}

export type LookupResult = { id: number; stored: Uint8Array } | { id: number; failed: string }
