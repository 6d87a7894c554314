import { windowSchema } from '../../domain/packet/packet-schema.ts'
import { contract } from '../../http/contract.ts'
import { invalidCursor } from '../../http/cursor.ts'
import { errorKind } from '../../http/errors.ts'

export const changeNotFound = errorKind({ code: 'change_not_found', status: 404, title: 'No change has this id' })
export const painNotFound = errorKind({ code: 'pain_not_found', status: 404, title: 'No pain has this id' })
export const nothingToVerify = errorKind({
  code: 'invalid_body',
  status: 400,
  title: 'The body does not have the required shape',
})

const text = { type: 'string' } as const
const name = { type: 'string', minLength: 1, maxLength: 256 } as const
const maybeText = { type: ['string', 'null'] } as const
const maybeNumber = { type: ['number', 'null'] } as const
const time = { type: 'string', format: 'date-time' } as const
const id = { type: 'string', maxLength: 200 } as const

const changeSchema = {
  title: 'Change',
  type: 'object',
  required: ['change_id', 'kind', 'service', 'version', 'ref', 'shipped_at', 'source', 'pain_ids', 'created_at'],
  properties: {
    change_id: text,
    kind: text,
    service: maybeText,
    version: maybeText,
    ref: maybeText,
    shipped_at: time,
    source: { enum: ['announced', 'telemetry'], description: 'who says so: a caller, or a version first seen in telemetry' },
    pain_ids: { type: 'array', items: text },
    created_at: time,
  },
} as const

const planSchema = {
  title: 'VerifyPlan',
  type: 'object',
  required: ['pain_id', 'plan_digest', 'frozen_at', 'metric', 'minimum_runs', 'window_hours', 'from'],
  properties: {
    pain_id: maybeText,
    plan_digest: text,
    frozen_at: time,
    metric: text,
    minimum_runs: { type: ['number', 'null'], description: 'runs after the change that probably show a fall by half' },
    window_hours: { type: ['number', 'null'], description: 'what they take at the pace of before' },
    from: { ...time, description: 'what arrived from here on is compared' },
  },
} as const

export const announceChange = contract({
  operation: 'announceChange',
  summary: 'Say what shipped, and which pains it is meant to mend',
  method: 'post',
  path: '/v1/changes',
  auth: { scopes: ['runs:write'] },
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['kind'],
    properties: {
      kind: { enum: ['release', 'config', 'prompt', 'model', 'tool_schema', 'flag', 'other'] },
      pain_ids: { type: 'array', maxItems: 50, items: id },
      service: name,
      version: name,
      ref: { type: 'string', minLength: 1, maxLength: 1000 },
      shipped_at: {
        ...time,
        description: 'without it the first sight of the newest version where that is what shipped, else now',
      },
    },
  },
  status: 200,
  response: {
    ...changeSchema,
    title: 'AnnouncedChange',
    required: [...changeSchema.required, 'plans'],
    properties: {
      ...changeSchema.properties,
      plans: { type: 'array', items: planSchema, description: 'how each named pain is judged, settled now' },
    },
  },
  errors: [painNotFound],
})

export const listChanges = contract({
  operation: 'listChanges',
  summary: 'What shipped, newest first; versions first seen in telemetry appear by themselves',
  method: 'get',
  path: '/v1/changes',
  auth: { scopes: ['telemetry:read'] },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50 },
      cursor: { type: 'string', maxLength: 1024 },
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items: changeSchema }, next_cursor: maybeText },
  },
  errors: [invalidCursor],
})

const sideSchema = {
  type: 'object',
  required: ['failures', 'runs', 'window'],
  properties: {
    failures: { type: 'number' },
    runs: { type: 'number' },
    window: { anyOf: [windowSchema, { type: 'null' }] },
  },
} as const

const ratioSchema = {
  type: 'object',
  required: ['value', 'low', 'high'],
  properties: { value: maybeNumber, low: maybeNumber, high: maybeNumber },
} as const

const controlSchema = {
  ...sideSchema,
  description: 'the part of before that the verdict goes by, where all of it would mislead; null where it does not',
  required: ['kind', ...sideSchema.required, 'ratio'],
  properties: {
    kind: {
      enum: ['same_time', 'latest_stretch', 'same_operations'],
      description:
        'the old version beside the new one, as in a canary; what was since the rate last changed before the change; or the operations that ran on both sides',
    },
    ...sideSchema.properties,
    ratio: ratioSchema,
  },
} as const

export const verifyChange = contract({
  operation: 'verify',
  summary: 'What the traffic after a change says about a pain',
  method: 'post',
  path: '/v1/runs/verify',
  auth: { scopes: ['runs:write'] },
  body: {
    type: 'object',
    additionalProperties: false,
    properties: {
      change_id: id,
      pain_id: id,
      since_minutes: {
        type: 'integer',
        minimum: 1,
        maximum: 43_200,
        description: 'minutes of arrival that are read; without it what the plan of the change says',
      },
    },
  },
  status: 200,
  response: {
    title: 'VerdictAnswer',
    type: 'object',
    required: [
      'verdict',
      'reason',
      'before',
      'after',
      'ratio',
      'change_percent',
      'control',
      'test',
      'versions',
      'change_id',
      'pain_id',
      'plan',
    ],
    properties: {
      verdict: { enum: ['held', 'slipped', 'unchanged', 'worse', 'moved', 'refused'] },
      reason: {
        enum: [
          'no_data',
          'insufficient_traffic',
          'path_not_exercised',
          'still_on_old_version',
          'sampling_changed',
          'inconclusive',
          null,
        ],
      },
      detail: maybeText,
      runs_needed: { type: ['integer', 'null'], description: 'runs still needed after the change before a fall could show' },
      before: sideSchema,
      after: sideSchema,
      ratio: { ...ratioSchema, description: 'rate after over rate before, all of both' },
      change_percent: maybeNumber,
      control: { anyOf: [controlSchema, { type: 'null' }] },
      test: text,
      confidence: { type: 'number', description: 'with which an interval holds the true ratio, however often anybody looks' },
      versions: { type: 'array', items: text },
      change_id: maybeText,
      pain_id: maybeText,
      plan: { anyOf: [planSchema, { type: 'null' }] },
      pains: {
        type: 'array',
        description:
          'where the change names several pains: the verdict of each; the answer is that of the one which stands worst',
        items: {
          type: 'object',
          required: ['pain_id', 'verdict', 'reason'],
          properties: { pain_id: maybeText, verdict: text, reason: maybeText },
        },
      },
    },
  },
  errors: [changeNotFound, painNotFound, nothingToVerify],
})
