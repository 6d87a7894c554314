/** Decides which origins a browser may send from. */
export interface CorsPolicy {
  /** Headers for an answer to this origin; empty where the origin is absent or not allowed. */
  headersFor(origin: string | undefined): Record<string, string>
  /** Headers of a preflight's answer, or null where it is refused. */
  preflight(origin: string | undefined, requestedHeaders: string | undefined): Record<string, string> | null
}

/** A preflight may be remembered for this long, in seconds; the least that browsers cap at. */
const PREFLIGHT_MAX_AGE_S = 600
const HEADER_NAMES = /^[\w-]+(\s*,\s*[\w-]+)*$/
const HEADER_NAMES_MAX_CHARACTERS = 1024

/** `origins` is the setting: origins separated by commas, `*` for all. Empty: no origin is allowed. */
export function createCorsPolicy(origins: string): CorsPolicy {
  const allowed = new Set(
    origins
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  )
  const allows = (origin: string | undefined): origin is string =>
    origin !== undefined && (allowed.has('*') || allowed.has(origin))
  return {
    headersFor: (origin): Record<string, string> =>
      allows(origin) ? { 'access-control-allow-origin': origin, vary: 'Origin' } : {},
    preflight: (origin, requestedHeaders) =>
      allows(origin)
        ? {
            'access-control-allow-origin': origin,
            'access-control-allow-methods': 'POST',
            'access-control-allow-headers': allowedHeaders(requestedHeaders),
            'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
            vary: 'Origin',
          }
        : null,
  }
}

/** A browser asks for the headers it will send; any header may be sent, so what was asked is given where it is sound. */
function allowedHeaders(requested: string | undefined): string {
  return requested !== undefined && requested.length <= HEADER_NAMES_MAX_CHARACTERS && HEADER_NAMES.test(requested)
    ? requested
    : 'content-type, content-encoding, authorization'
}
