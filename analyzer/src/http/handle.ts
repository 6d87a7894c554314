import type { Request, RequestHandler, Response } from 'express'
import { missingKey, presentedKey, refuseExpired, requireScopes } from './auth.ts'
import { type Contract, declaredErrors, isChange, type Route } from './contract.ts'
import { type AppDeps, localsOf } from './door.ts'
import { doorErrors, fail, RequestError } from './errors.ts'
import type { ReadJson } from './read-body.ts'
import type { RequestFacts } from './request-facts.ts'
import { sendAnswer } from './send.ts'
import type { CompileValidators } from './validate.ts'

export interface HandleDeps extends AppDeps {
  compile: CompileValidators
  readJson: ReadJson
}

/** RFC 9745: when the query form of the admin token was deprecated. */
const DEPRECATED_AT = '@1735689600'

/**
 * One request of one route, in this order: origin, limit, key, parameters, body, handler, answer.
 * A request without a right key is refused before its body is read.
 */
export function createHandle(route: Route, deps: HandleDeps): RequestHandler {
  const { contract } = route
  const validators = deps.compile(contract)
  const enforce = deps.enforceContract === true
  return async (request, response) => {
    const { facts } = localsOf(response)
    facts.route = contract.path
    try {
      if (isChange(contract)) refuseCrossSite(request)
      if (contract.limit) setHeaders(response, deps.takeLimit(contract.limit, facts.address))
      const query = { ...request.query }
      authorize(contract, { request, response, facts, query }, deps)
      const input = {
        params: validators.params({ ...request.params }),
        query: validators.query(query),
        body: contract.body ? validators.body(await deps.readJson(request, response, facts)) : undefined,
        caller: facts.caller,
        request: facts,
      }
      sendAnswer(response, await route.handle(input), { contract, validators, enforce })
    } catch (error) {
      throw enforce ? declaredOnly(error, contract) : error
    }
  }
}

interface Presented {
  request: Request
  response: Response
  facts: RequestFacts
  query: Record<string, unknown>
}

function authorize(contract: Contract, { request, response, facts, query }: Presented, deps: HandleDeps): void {
  const { auth } = contract
  if (auth === 'none') return
  facts.key = presentedKey(request)
  if (auth === 'handler') return
  if (auth === 'admin') {
    deps.checkAdmin(adminToken(facts.key, query, response))
    facts.admin = true
    return
  }
  if (facts.key === null) {
    if (auth === 'optional') return
    missingKey()
  }
  facts.caller = deps.authenticate(facts.key)
  if (auth !== 'optional') requireScopes(facts.caller, auth.scopes)
  else if (facts.caller.expired) refuseExpired()
}

/** The header form wins; the query form is taken out of the query, so that nothing behind the door ever sees it. */
function adminToken(fromHeader: string | null, query: Record<string, unknown>, response: Response): string | null {
  const { admin_token: fromQuery } = query
  delete query.admin_token
  if (fromQuery === undefined) return fromHeader
  response.setHeader('deprecation', DEPRECATED_AT)
  return fromHeader ?? (typeof fromQuery === 'string' ? fromQuery : null)
}

/** A page of another origin can make a browser send a request to this address; a browser says so in these headers. */
function refuseCrossSite(request: Request): void {
  const site = request.headers['sec-fetch-site']
  const origin = request.headers.origin
  const foreign =
    site !== undefined ? site !== 'same-origin' && site !== 'none' : origin !== undefined && !isOwnOrigin(origin, request)
  if (foreign) fail(doorErrors.crossSiteRequest, 'send this request from a program or from a page of this server')
}

function isOwnOrigin(origin: string, request: Request): boolean {
  return URL.canParse(origin) && new URL(origin).host === request.headers.host
}

function setHeaders(response: Response, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

function declaredOnly(error: unknown, contract: Contract): unknown {
  if (!(error instanceof RequestError) || error.kind.status === 500) return error
  if (declaredErrors(contract).some(({ code, status }) => code === error.kind.code && status === error.kind.status)) return error
  return new RequestError(doorErrors.contractBroken, `${contract.operation} does not declare ${error.kind.code}`, {
    cause: error,
  })
}
