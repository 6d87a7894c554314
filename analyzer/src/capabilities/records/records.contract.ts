import { signalSchema } from '../../domain/packet/packet-schema.ts'
import { recordSchema } from '../../domain/record-schema.ts'
import { contract } from '../../http/contract.ts'
import { invalidCursor } from '../../http/cursor.ts'
import { errorKind } from '../../http/errors.ts'
import { eventTimeQuery } from '../../http/event-bounds.ts'

export const invalidId = errorKind({ code: 'invalid_id', status: 400, title: 'The id cannot be one of this kind' })

/** What is missing from an answer, and why. */
export const omittedSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['what', 'count', 'reason'],
    properties: { what: { type: 'string' }, count: { type: 'integer', minimum: 0 }, reason: { type: 'string' } },
  },
} as const

export const listTelemetry = contract({
  operation: 'listTelemetry',
  summary: 'Records, newest first',
  method: 'get',
  path: '/v1/telemetry',
  auth: { scopes: ['telemetry:read'] },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      since_minutes: { type: 'integer', minimum: 1, maximum: 43_200 },
      limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50 },
      cursor: { type: 'string', maxLength: 1024 },
      signal_type: signalSchema,
      service: { type: 'string', minLength: 1, maxLength: 256 },
      record_id: { type: 'string', maxLength: 200 },
      trace_id: { type: 'string', minLength: 1, maxLength: 1024, description: 'as it was sent: hex, base64 or any text' },
      ...eventTimeQuery,
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: {
      items: { type: 'array', items: recordSchema },
      next_cursor: { type: ['string', 'null'] },
      omitted: omittedSchema,
    },
  },
  errors: [invalidCursor, invalidId],
})
