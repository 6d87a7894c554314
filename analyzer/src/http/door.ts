import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Logger } from '@loopkit/shared/runtime/log'
import type { Request, Response } from 'express'
import type { Authenticate } from './auth.ts'
import type { Route } from './contract.ts'
import type { RequestFacts } from './request-facts.ts'

/** Counts a call against a named limit; throws 429 when there is none left, else says what headers to send. */
export type TakeLimit = (limit: string, address: string) => Record<string, string>

/** How one request ended. */
export interface RequestOutcome {
  facts: RequestFacts
  status: number
  code: string | null
  durationMs: number
}

/** Bytes that pass through without the door's contracts: OTLP on its way to the collector. */
export interface StreamRoute {
  path: string
  handle(request: Request, response: Response, facts: RequestFacts): void
}

export interface AppDeps {
  routes: readonly Route[]
  streams?: readonly StreamRoute[]
  authenticate: Authenticate
  checkAdmin: (presented: string | null) => void
  takeLimit: TakeLimit
  clock: Clock
  log: Logger
  /** Called once a request, after its answer: metrics, the audit of refusals. Must not throw. */
  onDone?: (outcome: RequestOutcome) => void
  /** For tests: an answer that breaks its schema, and an error its contract does not declare, become a 500. */
  enforceContract?: boolean
}

/** What the door keeps on each response. */
export interface DoorLocals {
  facts: RequestFacts
  code: string | null
}

export function localsOf(response: Response): DoorLocals {
  return response.locals as DoorLocals
}
