import { HINT_KINDS } from '@loopkit/shared/signals/hints/hint-kind'
import { recordSchema } from '../../domain/record-schema.ts'
import { contract } from '../../http/contract.ts'
import { invalidCursor } from '../../http/cursor.ts'
import { errorKind } from '../../http/errors.ts'
import { eventTimeQuery } from '../../http/event-bounds.ts'

export const sessionNotFound = errorKind({ code: 'session_not_found', status: 404, title: 'No session or trace has this id' })

const text = { type: 'string' } as const
const maybeText = { type: ['string', 'null'] } as const
const maybeNumber = { type: ['number', 'null'] } as const
const count = { type: 'integer', minimum: 0 } as const
const cursor = { type: 'string', maxLength: 1024 } as const

export const sessionTotals = {
  agent: maybeText,
  user: maybeText,
  outcome: { enum: ['ok', 'failed'] },
  turns: count,
  tool_calls: count,
  spans: count,
  traces: count,
  failures: count,
  tokens: {
    type: 'object',
    required: ['input', 'output', 'total'],
    properties: { input: count, output: count, total: count },
  },
  cost_usd: { ...maybeNumber, description: "what is known of it, as sent or by price; null where no call's cost is known" },
  started_at: maybeText,
  ended_at: maybeText,
  duration_ms: maybeNumber,
  provisional: { type: 'boolean', description: 'some of it is in traces that are not yet decided' },
} as const

const sessionSummary = {
  title: 'SessionSummary',
  type: 'object',
  required: ['session_id', 'agent', 'turns', 'outcome', 'started_at', 'ended_at', 'tokens', 'failures'],
  properties: { session_id: text, ...sessionTotals, last_received_at: { type: 'string', format: 'date-time' } },
} as const

export const listSessions = contract({
  operation: 'listSessions',
  summary: 'Conversations and agent runs, newest arrival first',
  method: 'get',
  path: '/v1/sessions',
  auth: { scopes: ['telemetry:read'] },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      since_minutes: { type: 'integer', minimum: 1, maximum: 43_200 },
      limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50, description: 'a page holds 200 at most' },
      cursor,
      ...eventTimeQuery,
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items: sessionSummary }, next_cursor: maybeText },
  },
  errors: [invalidCursor],
})

const skeletonLine = {
  title: 'SkeletonLine',
  description: 'one line a record; a record that a budget has no room for is named by its id alone',
  type: 'object',
  required: ['record_id'],
  additionalProperties: false,
  properties: { record_id: text, trace_id: text, span_id: text, parent_span_id: maybeText, signal_type: maybeText, line: text },
} as const

export const getSession = contract({
  operation: 'getSession',
  summary: 'The records of one session or trace in order of time',
  method: 'get',
  path: '/v1/sessions/{id}',
  auth: { scopes: ['telemetry:read'] },
  params: { type: 'object', required: ['id'], properties: { id: { type: 'string', minLength: 1, maxLength: 1024 } } },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      view: { enum: ['full', 'skeleton', 'errors'], default: 'full' },
      budget_tokens: { type: 'integer', minimum: 300 },
      cursor,
      ...eventTimeQuery,
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['session_id', 'view', 'records', 'traces', 'omitted', 'items', 'next_cursor'],
    properties: {
      session_id: maybeText,
      view: { enum: ['full', 'skeleton', 'errors'] },
      records: { ...count, description: 'records of this view, all pages together' },
      traces: count,
      omitted: {
        type: 'array',
        items: { type: 'object', required: ['what', 'count', 'reason'], properties: { what: text, count, reason: text } },
      },
      hints: {
        type: 'array',
        description: 'in the view of errors, on its first page: what is worth a look in the run of an agent and is no pain',
        items: {
          title: 'SessionHint',
          type: 'object',
          required: ['record_id', 'kind', 'because'],
          additionalProperties: false,
          properties: { record_id: text, kind: { enum: [...HINT_KINDS] }, because: text },
        },
      },
      items: { type: 'array', items: { anyOf: [recordSchema, skeletonLine] } },
      next_cursor: maybeText,
    },
  },
  errors: [sessionNotFound, invalidCursor],
})
