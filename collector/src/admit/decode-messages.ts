import type { DecodeLimits, Prepared, RawBody } from './prepare.ts'

export interface DecodeWorkerData {
  hashKey: Uint8Array
  limits: DecodeLimits
}

export interface DecodeJob {
  id: number
  raw: RawBody
}

export type DecodeResult = { id: number; prepared: Prepared } | { id: number; failed: string }
