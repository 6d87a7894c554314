import { type HardRule, wordsMatch } from './rule.ts'

const GRPC: ReadonlySet<string | null> = new Set([
  'UNAVAILABLE',
  'UNKNOWN',
  'INTERNAL',
  'DATA_LOSS',
  'UNIMPLEMENTED',
  'RESOURCE_EXHAUSTED',
])

/** Class 08: connection; 53: resources; 57P0x: shutdown; 58: system error. A constraint or syntax error is the caller's. */
const SQLSTATE = /^(?:08...|53...|57P0.|58...)$/

const WORDS =
  /\b(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|connection (?:was )?(?:refused|reset|closed|aborted|terminated|lost|error)|connect(?:ion)? (?:to \S{1,100} )?failed|no connection established|could not connect|failed to connect|unable to connect|name resolution|no such host|no route to host|socket hang up|broken pipe|service unavailable|bad gateway|upstream connect error|server (?:has gone away|closed the connection)|too many connections)\b|Connect(?:ion)?(?:Error|Exception|Refused)|UnknownHost|NoRouteToHost|NameResolutionError|MaxRetryError/i

/**
 * A call to something else failed and the callee is not telling why: it cannot be reached, answers 5xx or UNAVAILABLE, or nothing at all.
 * Where the callee's own span is in the trace, judging the trace moves the blame to it.
 */
export const dependencyFailure: HardRule = {
  signal: 'dependency_failure',
  applies(evidence) {
    // A log record does not say whether its code called something: only its words can.
    if (evidence.span.log) return wordsMatch(evidence, WORDS)
    if (!evidence.calls) return null
    if (evidence.http !== null && evidence.http >= 500) return `the callee answered HTTP ${evidence.http}`
    if (GRPC.has(evidence.grpc)) return `the callee answered gRPC ${evidence.grpc}`
    if (evidence.sqlstate !== null) return SQLSTATE.test(evidence.sqlstate) ? `SQLSTATE ${evidence.sqlstate}` : null
    const words = wordsMatch(evidence, WORDS)
    if (words !== null) return `a call, and ${words}`
    const silent = evidence.http === null && evidence.grpc === null && evidence.message === null && !evidence.hasException
    return silent ? 'a call failed without a word' : null
  },
}
