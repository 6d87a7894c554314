import { type HardRule, wordsMatch } from './rule.ts'

const STATUSES: ReadonlySet<number | null> = new Set([429, 529])

const WORDS =
  /\b(?:rate[ _-]?limit(?:ed|s? exceeded|s? reached|_error|_exceeded| error|exceeded)\b|exceed\w{0,3} (?:the |your |its |our )?(?:\w{1,20} ){0,2}rate[ -]?limit|too many requests|(?:error|server|model|service|is|currently|temporarily)[ _]overloaded|overloaded_error|insufficient_quota|quota exceeded|exceeded your (?:current )?quota|request was throttled)|RateLimit(?:ed)?(?:Error|Exception|Exceeded)|TooManyRequests|Throttl(?:ed|ing)(?:Error|Exception)|OverloadedError|QuotaExceeded/i

/** gRPC uses RESOURCE_EXHAUSTED for sizes and memory too. */
const SIZE = /larger than max|message size|out of memory|disk/i

/** The other side said "not now": HTTP 429 or Anthropic's 529, gRPC RESOURCE_EXHAUSTED, or a provider's own words for it. */
export const rateLimited: HardRule = {
  signal: 'rate_limited',
  applies(evidence) {
    if (STATUSES.has(evidence.http)) return `HTTP status ${evidence.http}`
    if (evidence.grpc === 'RESOURCE_EXHAUSTED' && !SIZE.test(evidence.words)) return 'gRPC status RESOURCE_EXHAUSTED'
    return wordsMatch(evidence, WORDS)
  },
}
