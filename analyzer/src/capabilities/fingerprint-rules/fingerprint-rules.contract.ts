import { RULE_FIELDS } from '@loopkit/shared/signals/fingerprint-rules'
import { SIGNAL_TYPES } from '@loopkit/shared/signals/signal-type'
import { contract } from '../../http/contract.ts'
import { errorKind } from '../../http/errors.ts'

export const ruleNotFound = errorKind({ code: 'rule_not_found', status: 404, title: 'No rule has this id' })
export const rulesFull = errorKind({ code: 'too_many_rules', status: 409, title: 'The project has as many rules as it may' })
export const ruleNotNamed = errorKind({ code: 'rule_not_named', status: 400, title: 'Name the rule that is to go' })

export const painNotFound = errorKind({ code: 'pain_not_found', status: 404, title: 'No pain has this id' })
export const painSplit = errorKind({ code: 'pain_already_split', status: 409, title: 'The pain is split by another attribute' })
export const painNotSplit = errorKind({
  code: 'pain_not_splittable',
  status: 409,
  title: 'Runs that are slow or dear are told apart by their operation alone',
})

const text = { type: 'string' } as const
const maybeText = { type: ['string', 'null'] } as const
const count = { type: 'integer', minimum: 0 } as const
const time = { type: 'string', format: 'date-time' } as const
const dryRun = { type: 'boolean', default: false, description: 'say what would change, and change nothing' } as const
const ruleId = { type: 'string', minLength: 1, maxLength: 200 } as const
const matched = { type: 'string', minLength: 1, maxLength: 1000 } as const

const matchSchema = {
  title: 'RuleMatch',
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  description: 'all that is named must hold; text is compared as it is',
  properties: {
    service: matched,
    operation: matched,
    signal_type: { enum: SIGNAL_TYPES },
    error_type: matched,
    message_contains: { ...matched, description: 'somewhere in the text of the error as it was sent' },
  },
} as const

const bySchema = {
  type: 'array',
  maxItems: 8,
  uniqueItems: true,
  items: { type: 'string', minLength: 1, maxLength: 128 },
  description: `fields (${RULE_FIELDS.join(', ')}), else attributes of the record, its scope or its resource; none: all that match are one pain`,
} as const

const ruleSchema = {
  title: 'FingerprintRule',
  type: 'object',
  required: ['rule_id', 'name', 'match', 'by', 'pain_id', 'created_at', 'created_by'],
  properties: {
    rule_id: text,
    name: maybeText,
    match: { type: 'object' },
    by: { type: 'array', items: text },
    pain_id: { ...maybeText, description: 'the pain that this rule splits; null for a rule that matches by what failures are' },
    created_at: time,
    created_by: { ...maybeText, description: 'id of the key' },
  },
} as const

const painCount = {
  title: 'RegroupedPain',
  type: 'object',
  required: ['pain_id', 'title', 'count', 'by'],
  properties: { pain_id: text, title: text, count, by: { type: 'object', additionalProperties: text } },
} as const

const effectSchema = {
  title: 'Regrouping',
  description: 'what would become of the failures of the default window; those that were decided keep their pain all the same',
  type: 'object',
  required: ['dry_run', 'summary', 'window', 'failures', 'looked_at', 'regrouped', 'splits', 'merges', 'renames'],
  properties: {
    dry_run: { const: true },
    summary: { ...text, description: 'in a sentence: would split 1 pain into 3' },
    window: { type: 'object', required: ['from', 'to'], properties: { from: time, to: time } },
    failures: { ...count, description: 'in the window' },
    looked_at: { ...count, description: 'the newest of them whose records are still kept' },
    regrouped: { ...count, description: 'of these, failures that would count under another pain' },
    splits: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pain', 'into'],
        properties: { pain: painCount, into: { type: 'array', items: painCount } },
      },
    },
    merges: {
      type: 'array',
      items: {
        type: 'object',
        required: ['into', 'pains'],
        properties: { into: painCount, pains: { type: 'array', items: painCount } },
      },
    },
    renames: {
      type: 'array',
      items: { type: 'object', required: ['pain', 'into'], properties: { pain: painCount, into: painCount } },
    },
  },
} as const

export const listRules = contract({
  operation: 'listFingerprintRules',
  summary: 'Rules by which the project groups failures: the first that matches counts, in this order',
  method: 'get',
  path: '/v1/fingerprint-rules',
  auth: { scopes: ['telemetry:read'] },
  status: 200,
  response: {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items: ruleSchema }, next_cursor: { type: 'null' } },
  },
  errors: [],
})

export const addRule = contract({
  operation: 'addFingerprintRule',
  summary:
    'Group failures by a rule from the next decision on; `loopkit.fingerprint` on a record goes first. The same rule again is the same rule',
  method: 'post',
  path: '/v1/fingerprint-rules',
  auth: { scopes: ['runs:write'] },
  query: { type: 'object', additionalProperties: false, properties: { dry_run: dryRun } },
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['match', 'by'],
    properties: { match: matchSchema, by: bySchema, name: { type: ['string', 'null'], minLength: 1, maxLength: 200 } },
  },
  status: 200,
  response: { anyOf: [ruleSchema, effectSchema] },
  errors: [rulesFull],
})

const removed = {
  type: 'object',
  required: ['rule_id', 'removed'],
  properties: { rule_id: text, removed: { const: true } },
} as const

export const removeRule = contract({
  operation: 'removeFingerprintRule',
  summary: 'Take a rule away: failures decided from then on are grouped without it',
  method: 'delete',
  path: '/v1/fingerprint-rules',
  auth: { scopes: ['runs:write'] },
  query: { type: 'object', additionalProperties: false, properties: { rule_id: ruleId, dry_run: dryRun } },
  status: 200,
  response: { anyOf: [removed, effectSchema] },
  errors: [ruleNotFound, ruleNotNamed],
})

export const removeRuleByPath = contract({
  operation: 'removeFingerprintRuleById',
  summary: 'The same with the id in the path',
  method: 'delete',
  path: '/v1/fingerprint-rules/{rule_id}',
  auth: { scopes: ['runs:write'] },
  params: { type: 'object', required: ['rule_id'], properties: { rule_id: ruleId } },
  query: { type: 'object', additionalProperties: false, properties: { dry_run: dryRun } },
  status: 200,
  response: { anyOf: [removed, effectSchema] },
  errors: [ruleNotFound],
})

export const splitPain = contract({
  operation: 'splitPain',
  summary:
    'Tell failures of this pain apart by a value: new ones from the next decision on, older ones as far as their records are kept. `attribute: null` undoes it',
  method: 'post',
  path: '/v1/pains/{id}/split',
  auth: { scopes: ['runs:write'] },
  params: { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 200 } } },
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['attribute'],
    properties: {
      attribute: {
        type: ['string', 'null'],
        minLength: 1,
        maxLength: 128,
        description:
          'of the record, its scope or its resource, or a field of the record as service, tool or model; failures without it stay',
      },
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['pain_id', 'merged_into', 'rule'],
    properties: {
      pain_id: text,
      merged_into: { ...maybeText, description: 'the pain that is split, where this one was merged into it' },
      rule: { anyOf: [ruleSchema, { type: 'null' }], description: 'null: it is split no more' },
    },
  },
  errors: [painNotFound, painSplit, painNotSplit, rulesFull],
})
