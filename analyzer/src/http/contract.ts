import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { doorErrors, type ErrorKind } from './errors.ts'
import type { Reply } from './reply.ts'
import type { Caller, RequestFacts } from './request-facts.ts'

/**
 * A JSON Schema literal. Loose on purpose: checking a literal against the whole of JSON Schema costs the compiler more than
 * it finds, and ajv's strict mode refuses a wrong schema when the process starts.
 */
export type Schema = boolean | object

/** What a key may do. `*` in the place of the action stands for the whole family. */
export const SCOPES = [
  'telemetry:write',
  'telemetry:read',
  'runs:write',
  'dashboard:read',
  'reports:read',
  'intents:read',
  'intents:write',
  'intents:approve',
  'llm:call',
  'operator:read',
  'operator:write',
] as const

export type Scope = (typeof SCOPES)[number]

/**
 * Who may call: `none` needs nothing; `optional` takes a key and refuses a wrong one; `handler` leaves the key to the handler
 * (`request.key`); `admin` is the admin token; otherwise a key with all of these scopes.
 */
export type Auth = 'none' | 'optional' | 'handler' | 'admin' | { readonly scopes: readonly Scope[] }

/** One operation, as data. Validators, handler types and the OpenAPI document come from it. */
export interface Contract {
  readonly operation: string
  readonly summary: string
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** With parameters in braces: `/v1/pains/{id}`. */
  readonly path: string
  readonly auth: Auth
  readonly params?: Schema
  readonly query?: Schema
  readonly body?: Schema
  /** Status of an answer that is returned bare. */
  readonly status: number
  /** Other statuses of success, chosen by the handler with `reply(status, body)`. */
  readonly otherStatuses?: readonly number[]
  readonly response: Schema
  /** Media type of an answer that is not JSON; the handler then returns the text. */
  readonly produces?: string
  readonly errors: readonly ErrorKind[]
  /** Name of the limit that counts this call, per client address. */
  readonly limit?: string
}

type Of<S> = S extends JSONSchema ? FromSchema<S> : undefined
type CallerOf<A> = A extends { readonly scopes: readonly Scope[] } ? Caller : A extends 'optional' ? Caller | null : null

export interface HandlerInput<C extends Contract> {
  params: Of<C['params']>
  query: Of<C['query']>
  body: Of<C['body']>
  caller: CallerOf<C['auth']>
  request: RequestFacts
}

type Answer<C extends Contract> = (C extends { readonly produces: string } ? string : Of<C['response']>) | Reply

/** What a handler gets, before its types: the schemas of its contract have passed it. */
export interface ErasedInput {
  params: unknown
  query: unknown
  body: unknown
  caller: Caller | null
  request: RequestFacts
}

/** A contract with the function that keeps it. The types are checked where it is made and erased here. */
export interface Route {
  contract: Contract
  handle(input: ErasedInput): unknown
}

export function contract<const C extends Contract>(declared: C): C {
  return declared
}

/** Binds a use case to its contract. The handler returns the body; a refusal is thrown with `fail`. */
export function route<C extends Contract>(
  declared: C,
  handle: (input: HandlerInput<C>) => Answer<C> | Promise<Answer<C>>,
): Route {
  return { contract: declared, handle: handle as unknown as Route['handle'] }
}

/** Whether the call changes state: it is audited, and not taken from another site's page. */
export function isChange({ method }: Pick<Contract, 'method'>): boolean {
  return method !== 'get'
}

/** Every error that an operation may answer: its own, and those of the door that its shape makes possible. */
export function declaredErrors({ errors, body, params, query, auth, limit, method }: Contract): ErrorKind[] {
  const door = doorErrors
  const keyed = auth === 'none' || auth === 'admin' ? [] : [door.ambiguousCredentials, door.missingKey, door.invalidKey]
  return [
    ...errors,
    ...keyed,
    ...(keyed.length > 0 ? [door.keyRevoked, door.keyExpired, door.sandboxExpired] : []),
    ...(typeof auth === 'object' ? [door.insufficientScope] : []),
    ...(auth === 'admin' ? [door.adminDisabled, door.invalidAdminToken, door.ambiguousCredentials] : []),
    ...(body ? [door.malformedJson, door.invalidBody, door.bodyTooLarge, door.unsupportedEncoding] : []),
    ...(params || query ? [door.invalidParameter] : []),
    ...(limit ? [door.rateLimited] : []),
    ...(isChange({ method }) ? [door.crossSiteRequest] : []),
    door.storageUnavailable,
    door.internal,
  ]
}
