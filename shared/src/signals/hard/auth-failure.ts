import { type HardRule, wordsMatch } from './rule.ts'

const STATUSES: ReadonlySet<number | null> = new Set([401, 403, 407])
const GRPC: ReadonlySet<string | null> = new Set(['UNAUTHENTICATED', 'PERMISSION_DENIED'])

/** Class 28: invalid authorization; 42501: insufficient privilege. */
const SQLSTATE = /^(?:28...|42501)$/

const WORDS =
  /\b(?:401 unauthorized|403 forbidden|unauthori[sz]ed (?:access|client|request)|(?:password )?authentication (?:failed|failure|required|error)|not authenticated|unauthenticated|access denied for user|(?:invalid|incorrect|missing|expired|revoked) (?:\w{1,20} )?(?:api[ _-]?key|credentials|access token|auth token|bearer token|refresh token)|invalid_api_key|(?:api[ _-]?key|access token|jwt|session|credentials) (?:is |has |have )?(?:invalid|expired|revoked|missing)|jwt expired)\b|Unauthori[sz]ed(?:Error|Exception|Access)|Authentication(?:Error|Exception|Failed)|AuthorizationError|PermissionDeniedError|Forbidden(?:Error|Exception)|AccessDenied(?:Error|Exception)|InvalidApiKey|ExpiredToken|TokenExpired/i

/** The other side knows the caller and refuses, or does not know it: 401, 403, their gRPC and SQL counterparts, or the words for it. */
export const authFailure: HardRule = {
  signal: 'auth_failure',
  applies(evidence) {
    if (STATUSES.has(evidence.http)) return `HTTP status ${evidence.http}`
    if (GRPC.has(evidence.grpc)) return `gRPC status ${evidence.grpc}`
    if (evidence.sqlstate !== null && SQLSTATE.test(evidence.sqlstate)) return `SQLSTATE ${evidence.sqlstate}`
    return wordsMatch(evidence, WORDS)
  },
}
