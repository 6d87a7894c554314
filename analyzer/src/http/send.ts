import type { Response } from 'express'
import type { Contract } from './contract.ts'
import { doorErrors, fail, type RequestError, toProblem } from './errors.ts'
import { Reply } from './reply.ts'
import { setPageHeaders } from './security-headers.ts'
import type { Validators } from './validate.ts'

const JSON_TYPE = 'application/json'

/** Sends what a handler returned, as its contract says. With `enforce` an answer that breaks the contract becomes a 500. */
export function sendAnswer(
  response: Response,
  answer: unknown,
  { contract, validators, enforce }: { contract: Contract; validators: Validators; enforce: boolean },
): void {
  const { status, body, headers, raw } = answer instanceof Reply ? answer : new Reply(null, answer)
  const text = typeof body === 'string' && (raw || contract.produces) ? body : JSON.stringify(body)
  if (enforce) enforceAnswer(contract, validators, status, contract.produces ? text : JSON.parse(text))
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-type', contract.produces ?? JSON_TYPE)
  if (contract.produces?.startsWith('text/html')) setPageHeaders(response)
  send(response, status ?? contract.status, text)
}

function enforceAnswer(contract: Contract, validators: Validators, status: number | null, answer: unknown): void {
  if (status !== null && status !== contract.status && !contract.otherStatuses?.includes(status)) {
    fail(doorErrors.contractBroken, `${contract.operation} does not declare status ${status}`)
  }
  const wrong = validators.response(answer)
  if (wrong) fail(doorErrors.contractBroken, wrong)
}

/** Sends a refusal as problem details. In tests a bug says what it is; outside it says only where to look. */
export function sendProblem(response: Response, refusal: RequestError, showCause: boolean): void {
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value)
  response.setHeader('content-type', 'application/problem+json')
  const problem = toProblem(refusal)
  const bug = showCause && refusal.kind === doorErrors.internal
  send(response, problem.status, JSON.stringify(bug ? { ...problem, detail: String(refusal.cause) } : problem))
}

function send(response: Response, status: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8')
  response.statusCode = status
  response.setHeader('content-length', bytes.length)
  response.end(bytes)
}
