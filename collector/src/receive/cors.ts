import type { Settings } from '@loopkit/config/settings-schema'

/** Decides which origins a browser may send from. */
export interface CorsPolicy {
  /** Headers for any answer to this origin, errors too; empty where the origin is absent or not allowed. */
  headersFor(origin: string | undefined): Record<string, string>
  /** Headers of a preflight's answer, or null where it is refused. */
  preflight(origin: string | undefined, requestedHeaders: string | undefined): Record<string, string> | null
}

export type CorsSettings = Pick<Settings, 'corsOrigins' | 'corsHeaders' | 'corsCredentials' | 'corsMaxAgeS'>

/** Without these no export works: every list of allowed headers has them. */
const NEEDED_HEADERS = ['content-type', 'content-encoding', 'authorization']
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_NAMES_MAX_CHARACTERS = 1024

/**
 * Origins and header names are compared without case, and `*` in a pattern stands for any letters, but for the slash of an
 * origin. No origin is allowed unless one is named; any header is allowed unless some are.
 */
export function createCorsPolicy({ corsOrigins, corsHeaders, corsCredentials, corsMaxAgeS }: CorsSettings): CorsPolicy {
  const isAllowedOrigin = createMatcher(corsOrigins)
  const isAllowedHeader = corsHeaders.trim() === '' ? () => true : createMatcher(`${corsHeaders},${NEEDED_HEADERS.join()}`)
  const headersFor = (origin: string | undefined): Record<string, string> =>
    origin !== undefined && isAllowedOrigin(origin)
      ? {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'retry-after',
          vary: 'Origin',
          ...(corsCredentials && { 'access-control-allow-credentials': 'true' }),
        }
      : {}
  return {
    headersFor,
    preflight: (origin, requestedHeaders) =>
      origin !== undefined && isAllowedOrigin(origin)
        ? {
            ...headersFor(origin),
            vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
            'access-control-allow-methods': 'POST',
            'access-control-allow-headers': requestedNames(requestedHeaders).filter(isAllowedHeader).join(', '),
            'access-control-max-age': String(corsMaxAgeS),
          }
        : null,
  }
}

/** A browser asks for the headers it will send. */
function requestedNames(requested: string | undefined): string[] {
  if (requested === undefined || requested.length > HEADER_NAMES_MAX_CHARACTERS) return NEEDED_HEADERS
  const names = requested.split(',').map((name) => name.trim())
  return names.every((name) => HEADER_NAME.test(name)) ? names : NEEDED_HEADERS
}

/** Patterns separated by commas; none matches nothing. */
function createMatcher(patterns: string): (text: string) => boolean {
  const matchers = patterns
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
    .map((pattern) => new RegExp(`^${pattern.split('*').map(literally).join('[^/]*')}$`, 'i'))
  const isAny = patterns.split(',').some((pattern) => pattern.trim() === '*')
  return (text) => isAny || matchers.some((matcher) => matcher.test(text))
}

/** Text as a regular expression that matches it and nothing else. */
function literally(text: string): string {
  return text.replace(/[\\^$.|?+()[\]{}/]/g, '\\$&')
}
