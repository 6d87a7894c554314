import { issueSchema, painStatusSchema, severitySchema, signalSchema, trendSchema } from '../../domain/packet/packet-schema.ts'
import { contract } from '../../http/contract.ts'
import { CURSOR_MAX_CHARACTERS, invalidCursor } from '../../http/cursor.ts'
import { errorKind } from '../../http/errors.ts'
import { eventTimeQuery } from '../../http/event-bounds.ts'

export const painNotFound = errorKind({ code: 'pain_not_found', status: 404, title: 'No pain has this id' })

const since = { type: 'integer', minimum: 1, maximum: 43_200 } as const
const text = { type: 'string' } as const
const count = { type: 'integer', minimum: 0 } as const
const time = { type: 'string', format: 'date-time' } as const
const id = { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 200 } } } as const
const window = { type: 'object', additionalProperties: false, properties: { since_minutes: since } } as const

const maybeText = { type: ['string', 'null'] } as const

export const mutedSchema = {
  title: 'Muted',
  description: 'null where the pain is not muted; it ends by itself',
  anyOf: [
    {
      type: 'object',
      required: ['reason', 'until', 'muted_at', 'muted_by'],
      properties: {
        reason: text,
        until: { anyOf: [time, { type: 'null' }] },
        muted_at: time,
        muted_by: { ...maybeText, description: 'id of the key' },
      },
    },
    { type: 'null' },
  ],
} as const

export const membersSchema = {
  type: 'array',
  description: 'pains that were merged into this one, and by whom',
  items: {
    title: 'MergedPain',
    type: 'object',
    required: ['pain_id', 'title', 'fingerprint', 'merged_into', 'merged_at', 'merged_by'],
    properties: {
      pain_id: text,
      title: maybeText,
      fingerprint: text,
      merged_into: { ...text, description: 'as it was asked for; a chain ends at this pain' },
      merged_at: time,
      merged_by: { ...maybeText, description: 'id of the key' },
    },
  },
} as const

export const mergedIntoSchema = {
  ...maybeText,
  description: 'the pain that this one is shown under since it was merged; all that follows is of that one',
} as const

const painSummary = {
  title: 'PainSummary',
  type: 'object',
  required: [
    'pain_id',
    'title',
    'severity',
    'signal_type',
    'count',
    'session_count',
    'first_seen',
    'last_seen',
    'trend',
    'status',
  ],
  properties: {
    pain_id: text,
    title: text,
    severity: severitySchema,
    signal_type: signalSchema,
    count,
    session_count: count,
    evidence_count: count,
    evidence_ids: { type: 'array', items: text },
    first_seen: time,
    last_seen: time,
    trend: trendSchema,
    status: painStatusSchema,
    provisional: { type: 'boolean' },
    muted: mutedSchema,
  },
} as const

export const listPains = contract({
  operation: 'listPains',
  summary:
    'Pains of a window, heaviest first, muted ones too. `from` and `to` are event times: with them alone all that arrived is read',
  method: 'get',
  path: '/v1/pains',
  auth: { scopes: ['telemetry:read'] },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      since_minutes: since,
      ...eventTimeQuery,
      service: { type: 'string', minLength: 1, maxLength: 256 },
      limit: { type: 'integer', minimum: 1, maximum: 1000, default: 20, description: 'a page holds 100 at most' },
      cursor: { type: 'string', maxLength: CURSOR_MAX_CHARACTERS },
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items: painSummary }, next_cursor: { type: ['string', 'null'] } },
  },
  errors: [invalidCursor],
})

export const getPain = contract({
  operation: 'getPain',
  summary: 'One pain, its history, the changes that name it and their verdicts',
  method: 'get',
  path: '/v1/pains/{id}',
  auth: { scopes: ['telemetry:read'] },
  params: id,
  query: window,
  status: 200,
  response: {
    type: 'object',
    required: [
      'pain_id',
      'title',
      'signal_type',
      'service',
      'operation',
      'status',
      'first_seen',
      'last_seen',
      'issue',
      'history',
      'siblings',
      'merged_into',
      'members',
      'muted',
    ],
    properties: {
      pain_id: text,
      merged_into: mergedIntoSchema,
      members: membersSchema,
      muted: mutedSchema,
      title: text,
      signal_type: signalSchema,
      service: text,
      operation: text,
      status: painStatusSchema,
      first_seen: time,
      last_seen: time,
      issue: { anyOf: [issueSchema, { type: 'null' }] },
      history: {
        type: 'array',
        items: { type: 'object', required: ['day', 'failures'], properties: { day: text, failures: count } },
      },
      siblings: { type: 'array', items: text },
    },
  },
  errors: [painNotFound],
})

export const whyPain = contract({
  operation: 'whyPain',
  summary: 'Why these records are one pain: from raw text to key, step by step',
  method: 'get',
  path: '/v1/pains/{id}/why',
  auth: { scopes: ['telemetry:read'] },
  params: id,
  query: window,
  status: 200,
  response: {
    type: 'object',
    required: [
      'pain_id',
      'fingerprint',
      'parent_key',
      'template',
      'error_type',
      'steps',
      'because',
      'frames',
      'siblings',
      'evidence_ids',
      'merged_into',
      'members',
      'scheme_version',
      'current_scheme_version',
      'rule_ids',
      'unavailable',
    ],
    properties: {
      pain_id: text,
      merged_into: mergedIntoSchema,
      members: membersSchema,
      fingerprint: text,
      parent_key: { type: ['string', 'null'] },
      template: { type: ['string', 'null'] },
      error_type: { type: ['string', 'null'] },
      steps: {
        type: 'array',
        items: { type: 'object', required: ['step', 'value'], properties: { step: text, value: text } },
      },
      because: { type: ['string', 'null'] },
      frames: { type: 'array', items: text },
      siblings: { type: 'array', items: text },
      evidence_ids: { type: 'array', items: text },
      scheme_version: { type: ['integer', 'null'], description: 'version of the scheme that made this key' },
      current_scheme_version: { type: 'integer' },
      rule_ids: { type: 'array', items: text, description: 'rules and splits of the project that made it, in order' },
      unavailable: { type: 'object', additionalProperties: text },
    },
  },
  errors: [painNotFound],
})
