import { type HardRule, wordsMatch } from './rule.ts'

const STATUSES: ReadonlySet<number | null> = new Set([408, 504, 524])

/** Query cancelled by statement_timeout, lock_timeout, ODBC's timeouts. */
const SQLSTATE: ReadonlySet<string | null> = new Set(['57014', '55P03', 'HYT00', 'HYT01'])

/** A bare "timeout" is no evidence: "invalid timeout value" is an argument error. */
const WORDS =
  /\b(?:timed[ -]out|time(?:-| )?out (?:of \d{1,9}|after|exceeded|expired|reached|error|while|waiting|was reached)|(?:request|connection|connect|read|write|socket|gateway|query|statement|operation|execution|response|lock wait|idle|upstream)[ _-]time-?out|deadline[ _]exceeded|E(?:SOCKET)?TIMEDOUT|timeout: )\b|\w{0,60}Timeout(?:Error|Exception|Expired)\b|\b(?:Read|Connect|Write|Pool)Timeout\b|DeadlineExceeded|^timeout\b/i

/** Time ran out: 408, 504, DEADLINE_EXCEEDED, a cancelled statement, or an error that says so. */
export const timeout: HardRule = {
  signal: 'timeout',
  applies(evidence) {
    if (STATUSES.has(evidence.http)) return `HTTP status ${evidence.http}`
    if (evidence.grpc === 'DEADLINE_EXCEEDED') return 'gRPC status DEADLINE_EXCEEDED'
    if (SQLSTATE.has(evidence.sqlstate)) return `SQLSTATE ${evidence.sqlstate}`
    return wordsMatch(evidence, WORDS)
  },
}
