/** One way a request can be refused: a value that the thrower, the contract, the status and the documents share. */
export interface ErrorKind {
  /** Stable, snake_case; clients decide by it. */
  code: string
  status: number
  /** Public and fixed: what this kind means, whatever the request. */
  title: string
}

/** Where a body or a parameter is wrong: a JSON pointer and what it must be. */
export interface FieldError {
  pointer: string
  detail: string
}

export function errorKind(kind: ErrorKind): ErrorKind {
  return kind
}

export interface FailOptions {
  /** For the log only; never shown. */
  cause?: unknown
  errors?: readonly FieldError[]
  headers?: Record<string, string>
}

/** A request that is refused on purpose. Anything else that is thrown is a bug and answers 500. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly kind: ErrorKind
  readonly errors: readonly FieldError[] | undefined
  readonly headers: Record<string, string>

  constructor(kind: ErrorKind, detail: string, { cause, errors, headers = {} }: FailOptions = {}) {
    super(detail, { cause })
    this.kind = kind
    this.errors = errors
    this.headers = headers
  }
}

/** Refuses the request with this kind. `detail` is public: no secret, and no text of another project. */
export function fail(kind: ErrorKind, detail: string, options?: FailOptions): never {
  throw new RequestError(kind, detail, options)
}

/** The body of an error answer (RFC 9457). */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  errors?: readonly FieldError[]
}

export function toProblem({ kind, message, errors }: RequestError): Problem {
  const { status, title, code } = kind
  const problem = { type: `urn:loopkit:problem:${code}`, title, status, code, detail: message }
  return errors ? { ...problem, errors } : problem
}

/** Errors that come from the door itself. A contract declares only its own; `declaredErrors` adds these where they can occur. */
export const doorErrors = {
  malformedJson: errorKind({ code: 'malformed_json', status: 400, title: 'The body is not JSON' }),
  invalidBody: errorKind({ code: 'invalid_body', status: 400, title: 'The body does not have the required shape' }),
  invalidParameter: errorKind({ code: 'invalid_parameter', status: 400, title: 'A parameter is outside its bounds' }),
  malformedUrl: errorKind({ code: 'malformed_url', status: 400, title: 'The address cannot be read' }),
  malformedRequest: errorKind({ code: 'malformed_request', status: 400, title: 'The request cannot be read' }),
  ambiguousCredentials: errorKind({ code: 'ambiguous_credentials', status: 400, title: 'The request carries more than one key' }),
  missingKey: errorKind({ code: 'missing_key', status: 401, title: 'This call needs a key' }),
  invalidKey: errorKind({ code: 'invalid_key', status: 401, title: 'The key is not known' }),
  keyRevoked: errorKind({ code: 'key_revoked', status: 401, title: 'The key was revoked' }),
  keyExpired: errorKind({ code: 'key_expired', status: 401, title: 'The key has expired' }),
  invalidAdminToken: errorKind({ code: 'invalid_admin_token', status: 401, title: 'The admin token is not right' }),
  insufficientScope: errorKind({ code: 'insufficient_scope', status: 403, title: 'The key lacks a scope that this call needs' }),
  sandboxExpired: errorKind({ code: 'sandbox_expired', status: 403, title: 'The sandbox has ended' }),
  crossSiteRequest: errorKind({ code: 'cross_site_request', status: 403, title: 'Another site may not send this request' }),
  routeNotFound: errorKind({ code: 'route_not_found', status: 404, title: 'No such route' }),
  methodNotAllowed: errorKind({ code: 'method_not_allowed', status: 405, title: 'The route does not take this method' }),
  bodyTooLarge: errorKind({ code: 'body_too_large', status: 413, title: 'The body is over the limit' }),
  unsupportedEncoding: errorKind({
    code: 'unsupported_encoding',
    status: 415,
    title: 'The body is in an encoding that is not taken here',
  }),
  requestTimeout: errorKind({ code: 'request_timeout', status: 408, title: 'The request took too long to arrive' }),
  headersTooLarge: errorKind({ code: 'headers_too_large', status: 431, title: 'Address and headers are over the limit' }),
  rateLimited: errorKind({ code: 'rate_limited', status: 429, title: 'Too many requests' }),
  internal: errorKind({ code: 'internal_error', status: 500, title: 'LoopKit failed to answer' }),
  contractBroken: errorKind({ code: 'contract_broken', status: 500, title: 'The answer breaks its own contract' }),
  adminDisabled: errorKind({ code: 'admin_disabled', status: 503, title: 'The admin routes are switched off' }),
  storageUnavailable: errorKind({
    code: 'storage_unavailable',
    status: 503,
    title: 'The database cannot be written or read now',
  }),
} as const
