import { hashText } from './distinct-count.ts'
import type { RolledFailure } from './pain-rollup.ts'

/** A decided failure as `failureColumns` reads it. */
export interface FailureRow {
  failure_no: number
  fingerprint_no: number
  trace_bits: number
  trace_id: Uint8Array
  session_no: number
  release_no: number
  service_list_no: number
  event_ms: number
  ended_trace: number
  user: string | null
}

/** What to select of `decided_failure f`, in one place for who adds them up beforehand and who does when asked: both must agree. */
export const FAILURE_COLUMNS = `f.failure_no, f.fingerprint_no, (f.trace_hash >> 32) & 4294967295 as trace_bits, f.trace_id,
  f.session_no, f.release_no, f.service_list_no, f.event_ms, f.ended_trace`

/** The user that a failure `f` met. */
export function userColumn(projectNo: string): string {
  return `(select t.user from session_trace t indexed by session_trace_by_trace
    where t.project_no = ${projectNo} and t.trace_hash = f.trace_hash and t.user is not null
      and (t.session_no = f.session_no or f.session_no = 0) order by t.session_no limit 1) as user`
}

export function failureColumns(projectNo: string): string {
  return `${FAILURE_COLUMNS}, ${userColumn(projectNo)}`
}

export function toRolledFailure(row: FailureRow): RolledFailure & { fingerprintNo: number } {
  return {
    fingerprintNo: row.fingerprint_no,
    failureNo: row.failure_no,
    traceId: row.trace_id,
    traceBits: row.trace_bits,
    sessionNo: row.session_no,
    releaseNo: row.release_no,
    serviceListNo: row.service_list_no,
    eventMs: row.event_ms,
    hasEnded: row.ended_trace === 1,
    userBits: row.user === null ? null : hashText(row.user),
  }
}
