import type { RequestFacts } from '../http/request-facts.ts'
import type { ControlQueries } from './control-database.ts'

/** What a change says of itself while it runs; preset from the request. */
export interface AuditNote {
  status: number
  projectNo: number | null
}

/**
 * Runs a change and writes its audit row in one transaction: both come to be, or neither. `work` may set the note's status
 * (200 unless told) and the project that it made.
 */
export type AuditedChange = <T>(request: RequestFacts, work: (queries: ControlQueries, note: AuditNote) => T) => T
