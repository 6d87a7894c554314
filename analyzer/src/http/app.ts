import type { Logger } from '@loopkit/shared/runtime/log'
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import type { Route } from './contract.ts'
import { type AppDeps, type DoorLocals, localsOf, type RequestOutcome } from './door.ts'
import { doorErrors, fail, RequestError } from './errors.ts'
import { createHandle } from './handle.ts'
import { createReadJson, JSON_BODY_MAX_BYTES } from './read-body.ts'
import { factsOf } from './request-facts.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { sendProblem } from './send.ts'
import { createCompiler } from './validate.ts'

/** The analyzer's HTTP side. Knows no capability: routes come in as data with a function each. */
export function createApp(deps: AppDeps): Express {
  const app = express()
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple')
  app.use((request, response, next) => {
    begin(request, response, deps)
    next()
  })
  for (const { path, handle } of deps.streams ?? []) {
    app.all(path, (request, response) => {
      const { facts } = localsOf(response)
      facts.route = path
      handle(request, response, facts)
    })
  }
  const compile = createCompiler()
  const readJson = createReadJson(JSON_BODY_MAX_BYTES)
  for (const route of deps.routes) {
    app[route.contract.method](expressPath(route.contract.path), createHandle(route, { ...deps, compile, readJson }))
  }
  for (const [path, methods] of methodsByPath(deps.routes)) app.all(expressPath(path), refuseMethod(path, methods))
  app.use(() => fail(doorErrors.routeNotFound, 'there is no such route; /openapi.json lists all of them'))
  app.use(answerError(deps))
  return app
}

function begin(request: Request, response: Response, { clock, log, onDone }: AppDeps): void {
  const facts = factsOf(request)
  const startedMs = clock.monotonicMs()
  const locals: DoorLocals = { facts, code: null }
  Object.assign(response.locals, locals)
  setSecurityHeaders(response, facts.id)
  response.once('close', () => {
    const durationMs = clock.monotonicMs() - startedMs
    const status = response.writableFinished ? response.statusCode : 499
    logRequest(log, { facts, status, code: localsOf(response).code, durationMs })
    onDone?.({ facts, status, code: localsOf(response).code, durationMs })
  })
}

/** Paths that a supervisor asks every few seconds: their lines are for debugging only. */
const PROBES = new Set(['/health', '/readyz', '/metrics'])

/** One line a request: the route's template, never the path or the query, which may hold what nobody should keep. */
function logRequest(log: Logger, { facts, status, code, durationMs }: RequestOutcome): void {
  const level = facts.route !== null && PROBES.has(facts.route) && status < 500 ? 'debug' : 'info'
  log[level]({
    code: 'http.request',
    request_id: facts.id,
    ...(facts.traceId && { trace_id: facts.traceId }),
    method: facts.method,
    route: facts.route ?? 'unmatched',
    status,
    ...(code && { error_code: code }),
    duration_ms: Math.round(durationMs * 10) / 10,
    ...(facts.caller && { project_id: facts.caller.projectId, key_id: facts.caller.keyId }),
  })
}

function answerError({ log, enforceContract }: AppDeps): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, _request, response, _next) => {
    const { facts } = localsOf(response)
    const refusal = toRefusal(error)
    // A refusal that was meant, as of what is switched off or still starts, stands in the line of its request and is no error of ours.
    if (refusal.kind.status >= 500 && refusal.cause !== undefined) {
      log.error({ code: 'http.error', request_id: facts.id, route: facts.route, err: refusal.cause }, refusal.message)
    }
    if (response.headersSent) return void response.destroy()
    localsOf(response).code = refusal.kind.code
    sendProblem(response, refusal, enforceContract === true)
  }
}

/** What SQLite says when the same request may work a little later. */
const STORAGE_CODES = /^SQLITE_(BUSY|FULL|IOERR|READONLY|CANTOPEN)/

function toRefusal(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  if (error instanceof URIError) return new RequestError(doorErrors.malformedUrl, 'the path holds a malformed escape')
  if (STORAGE_CODES.test(String((error as { code?: unknown } | null)?.code))) {
    return new RequestError(doorErrors.storageUnavailable, 'try again', { cause: error, headers: { 'retry-after': '1' } })
  }
  return new RequestError(doorErrors.internal, 'the log has the reason under this request id', { cause: error })
}

function methodsByPath(routes: readonly Route[]): Map<string, Set<string>> {
  const methods = new Map<string, Set<string>>()
  for (const { contract } of routes) {
    const known = methods.get(contract.path) ?? new Set()
    methods.set(contract.path, known.add(contract.method.toUpperCase()))
  }
  return methods
}

function refuseMethod(path: string, methods: ReadonlySet<string>) {
  const allow = [...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  return (request: Request, response: Response): void => {
    localsOf(response).facts.route = path
    if (request.method === 'OPTIONS') return void response.writeHead(204, { allow }).end()
    fail(doorErrors.methodNotAllowed, `this route takes ${allow}`, { headers: { allow } })
  }
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}
