import { SIGNAL_TYPES } from '@loopkit/shared/signals/signal-type'
import { contract } from '../../http/contract.ts'
import { errorKind } from '../../http/errors.ts'

export const observationNotFound = errorKind({
  code: 'observation_not_found',
  status: 404,
  title: 'No observation has this id',
})
export const observationClosed = errorKind({
  code: 'observation_closed',
  status: 409,
  title: 'This observation was decided before',
})
export const painNotObserved = errorKind({
  code: 'pain_not_observed',
  status: 400,
  title: 'The observation holds no such pain',
})

const text = { type: 'string' } as const
const maybeText = { type: ['string', 'null'] } as const
const time = { type: 'string', format: 'date-time' } as const
const count = { type: 'integer', minimum: 0 } as const

const judgedPain = {
  type: 'object',
  required: ['pain_id', 'title', 'change_id', 'verdict', 'change_percent', 'at', 'since_last_decision'],
  properties: {
    pain_id: text,
    title: maybeText,
    change_id: text,
    verdict: text,
    change_percent: { type: ['number', 'null'] },
    at: time,
    since_last_decision: { type: 'boolean', description: 'said after the last decision: news to whoever took it' },
  },
} as const

const pendingPain = {
  type: 'object',
  required: ['pain_id', 'title', 'change_id', 'note', 'at', 'since_last_decision'],
  properties: {
    pain_id: text,
    title: maybeText,
    change_id: maybeText,
    note: maybeText,
    at: time,
    since_last_decision: { type: 'boolean' },
  },
} as const

const memory = {
  title: 'Memory',
  type: 'object',
  required: ['last_decided_at', 'fixed', 'slipped', 'in_flight'],
  properties: {
    last_decided_at: { anyOf: [time, { type: 'null' }] },
    fixed: { type: 'array', items: judgedPain, description: 'verdict held, newest first' },
    slipped: { type: 'array', items: judgedPain, description: 'verdict slipped or worse, newest first' },
    in_flight: { type: 'array', items: pendingPain, description: 'to be patched, or named by a change without a verdict yet' },
  },
} as const

const newPain = {
  title: 'ObservedPain',
  type: 'object',
  required: [
    'pain_id',
    'title',
    'severity',
    'signal_type',
    'service',
    'operation',
    'count',
    'session_count',
    'evidence_ids',
    'first_seen',
    'last_seen',
    'first_time',
    'status',
  ],
  properties: {
    pain_id: text,
    title: text,
    severity: { enum: ['low', 'medium', 'high', 'critical'] },
    signal_type: { enum: SIGNAL_TYPES },
    service: text,
    operation: text,
    count: { ...count, description: 'failures that were decided since the last decision' },
    session_count: count,
    evidence_ids: { type: 'array', items: text },
    first_seen: time,
    last_seen: time,
    first_time: { type: 'boolean', description: 'no failure of it was known before' },
    status: { enum: ['new', 'in_progress', 'verified', 'regression'] },
  },
} as const

export const observe = contract({
  operation: 'observe',
  summary: 'Claim what is new since the last decision; what was fixed, slipped or is in flight comes first',
  method: 'post',
  path: '/v1/observe',
  auth: { scopes: ['runs:write'] },
  body: {
    type: 'object',
    additionalProperties: false,
    properties: { peek: { type: 'boolean', default: false, description: 'look without claiming' } },
  },
  status: 200,
  response: {
    title: 'Observation',
    type: 'object',
    required: ['observation_id', 'memory', 'new', 'new_total', 'more_since'],
    properties: {
      observation_id: { ...maybeText, description: 'what decide closes; null for a peek' },
      memory,
      new: { type: 'array', items: newPain, description: 'heaviest first' },
      new_total: { ...count, description: 'pains that wait; those not listed come with the next observation' },
      more_since: { type: 'boolean', description: 'failures were decided while this claim was made: observe again' },
    },
  },
  errors: [],
})

export const decide = contract({
  operation: 'decide',
  summary: 'Close an observation: what comes next for its pains; those that are not named wait for the next one',
  method: 'post',
  path: '/v1/decide',
  auth: { scopes: ['runs:write'] },
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['observation_id', 'decisions'],
    properties: {
      observation_id: { type: 'string', maxLength: 200 },
      decisions: {
        type: 'array',
        maxItems: 2000,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['pain_id', 'next'],
          properties: {
            pain_id: { type: 'string', maxLength: 200 },
            next: { enum: ['patch', 'observe', 'skip'] },
            note: { type: 'string', maxLength: 2000 },
          },
        },
      },
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['observation_id', 'decided_at', 'decisions', 'undecided'],
    properties: {
      observation_id: text,
      decided_at: time,
      decisions: {
        type: 'array',
        items: {
          type: 'object',
          required: ['pain_id', 'next', 'note'],
          properties: { pain_id: text, next: { enum: ['patch', 'observe', 'skip'] }, note: maybeText },
        },
      },
      undecided: { ...count, description: 'pains that the next observation shows again' },
    },
  },
  errors: [observationNotFound, observationClosed, painNotObserved],
})
