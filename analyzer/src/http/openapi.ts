import { type Contract, declaredErrors, type Schema } from './contract.ts'
import type { ErrorKind } from './errors.ts'

export interface OpenApiOptions {
  title: string
  version: string
  serverUrl: string
  description: string
}

type Json = Record<string, unknown>

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
}

/** The OpenAPI 3.1 document of all contracts. A schema whose `title` is one PascalCase word becomes a component. */
export function toOpenApi(contracts: readonly Contract[], { title, version, serverUrl, description }: OpenApiOptions): Json {
  const schemas: Json = { Problem: PROBLEM }
  const paths: Record<string, Json> = {}
  for (const contract of contracts) {
    const operations = paths[contract.path] ?? {}
    operations[contract.method] = toOperation(contract, schemas)
    paths[contract.path] = operations
  }
  return {
    openapi: '3.1.0',
    info: { title, version, description },
    servers: [{ url: serverUrl }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key of one project' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-T4-API-KEY', description: 'The same key in a header of its own' },
        admin: { type: 'http', scheme: 'bearer', description: 'The admin token of the instance' },
      },
    },
  }
}

function toOperation(contract: Contract, schemas: Json): Json {
  const { operation, summary, body, response, status, otherStatuses = [], produces = 'application/json' } = contract
  const success = { description: summary, content: { [produces]: { schema: hoist(response, schemas) } } }
  return {
    operationId: operation,
    summary,
    ...securityOf(contract),
    parameters: [...parametersOf(contract.params, 'path', schemas), ...parametersOf(contract.query, 'query', schemas)],
    ...(body && { requestBody: { content: { 'application/json': { schema: hoist(body, schemas) } } } }),
    responses: {
      ...Object.fromEntries([status, ...otherStatuses].map((code) => [String(code), success])),
      ...problemsByStatus(declaredErrors(contract)),
    },
  }
}

function securityOf({ auth }: Contract): Json {
  if (auth === 'none') return { security: [] }
  if (auth === 'admin') return { security: [{ admin: [] }] }
  const keyed = [{ key: [] }, { apiKey: [] }]
  if (auth === 'optional') return { security: [{}, ...keyed] }
  if (auth === 'handler') return { security: keyed }
  return { security: keyed, 'x-scopes': auth.scopes }
}

function parametersOf(schema: Schema | undefined, place: 'path' | 'query', schemas: Json): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Record<string, Schema>; required?: string[] }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: hoist(property, schemas),
  }))
}

function problemsByStatus(kinds: readonly ErrorKind[]): Json {
  const byStatus = new Map<number, Set<string>>()
  for (const { status, code } of kinds) byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    [...byStatus]
      .sort(([one], [other]) => one - other)
      .map(([status, codes]) => [String(status), { description: [...codes].join(', '), content }]),
  )
}

/** Puts every named schema inside into the components and refers to it. Two different schemas under one name are a bug. */
function hoist(schema: unknown, schemas: Json): unknown {
  if (Array.isArray(schema)) return schema.map((part) => hoist(part, schemas))
  if (schema === null || typeof schema !== 'object') return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, hoist(value, schemas)]))
  const { title } = copy
  if (typeof title !== 'string' || !/^[A-Z][A-Za-z0-9]+$/.test(title)) return copy
  const known = schemas[title]
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(copy)) throw new Error(`two schemas are named ${title}`)
  schemas[title] = copy
  return { $ref: `#/components/schemas/${title}` }
}
