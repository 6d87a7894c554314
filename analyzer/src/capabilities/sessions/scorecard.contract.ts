import { DECISIVE_RULES } from '../../domain/session/decisive-step.ts'
import { MARKS, SCORE_PARTS } from '../../domain/session/scorecard.ts'
import { contract } from '../../http/contract.ts'
import { sessionNotFound, sessionTotals } from './sessions.contract.ts'

const text = { type: 'string' } as const
const maybeText = { type: ['string', 'null'] } as const
const maybeNumber = { type: ['number', 'null'] } as const
const count = { type: 'integer', minimum: 0 } as const

const step = {
  title: 'SessionStep',
  type: 'object',
  required: ['record_id', 'url', 'service', 'operation', 'agent', 'started_at_unix_nano'],
  properties: {
    record_id: text,
    url: { ...text, description: 'where the record is read' },
    service: text,
    operation: text,
    agent: maybeText,
    started_at_unix_nano: text,
  },
} as const
const maybeStep = { anyOf: [step, { type: 'null' }] } as const

const decisiveStep = {
  title: 'DecisiveStep',
  description: 'a step that changing would change most: a candidate with its reason, no verdict',
  type: 'object',
  required: [...step.required, 'rule', 'because', 'turn'],
  properties: {
    ...step.properties,
    rule: { enum: [...DECISIVE_RULES] },
    because: text,
    turn: { ...maybeStep, description: "the model's call that led to it" },
  },
} as const

const scorePart = {
  title: 'ScorePart',
  type: 'object',
  required: ['part', 'mark', 'because', 'evidence', 'evidence_count'],
  properties: {
    part: { enum: [...SCORE_PARTS] },
    mark: { enum: [...MARKS, null], description: 'null: there is nothing to mark' },
    because: text,
    evidence: {
      type: 'array',
      items: {
        type: 'object',
        required: ['record_id', 'url', 'because'],
        properties: { record_id: text, url: text, because: text },
      },
    },
    evidence_count: count,
  },
} as const

const twin = {
  title: 'HealthyTwin',
  description: 'the healthy session of the same agent, else of the same operation at its root, that is most like this one',
  type: 'object',
  required: ['session_id', 'started_at', 'likeness', 'steps', 'differences', 'parted_at'],
  properties: {
    session_id: text,
    started_at: maybeText,
    likeness: { type: 'number', minimum: 0, maximum: 1, description: 'share of the steps that both have' },
    steps: {
      type: 'object',
      required: ['same', 'only_here', 'only_in_twin'],
      properties: { same: count, only_here: count, only_in_twin: count },
    },
    differences: {
      type: 'object',
      description: "this session's less the twin's",
      required: ['turns', 'tool_calls', 'tokens', 'cost_usd', 'duration_ms'],
      properties: {
        turns: { type: 'integer' },
        tool_calls: { type: 'integer' },
        tokens: { type: 'integer' },
        cost_usd: maybeNumber,
        duration_ms: maybeNumber,
      },
    },
    parted_at: {
      description: 'the first step at which they part; null where they do the same',
      anyOf: [
        {
          type: 'object',
          required: ['kind', 'because', 'ours', 'theirs'],
          properties: {
            kind: { enum: ['failed', 'only_here', 'only_in_twin'] },
            because: text,
            ours: maybeStep,
            theirs: maybeStep,
          },
        },
        { type: 'null' },
      ],
    },
  },
} as const

export const getScorecard = contract({
  operation: 'getSessionScorecard',
  summary: 'How a session went in five parts, the step with the highest leverage, and where it parts from a healthy twin',
  method: 'get',
  path: '/v1/sessions/{id}/scorecard',
  auth: { scopes: ['telemetry:read'] },
  params: { type: 'object', required: ['id'], properties: { id: { type: 'string', minLength: 1, maxLength: 1024 } } },
  status: 200,
  response: {
    title: 'SessionScorecard',
    type: 'object',
    required: [
      'session_id',
      'outcome',
      'turns',
      'tokens',
      'cost_usd',
      'cost',
      'scorecard',
      'leverage_step',
      'candidates',
      'twin',
      'unavailable',
      'omitted',
    ],
    properties: {
      session_id: text,
      ...sessionTotals,
      cost_usd: { ...maybeNumber, description: 'as sent, else by the prices of config/models.json; null where a call has none' },
      cost: {
        type: 'object',
        required: ['priced_calls', 'priced_usd', 'unpriced'],
        properties: {
          priced_calls: count,
          priced_usd: { type: 'number' },
          unpriced: {
            type: 'array',
            description: 'models without a price, and their calls',
            items: { type: 'object', required: ['model', 'calls'], properties: { model: maybeText, calls: count } },
          },
        },
      },
      scorecard: { type: 'array', items: scorePart, minItems: SCORE_PARTS.length, maxItems: SCORE_PARTS.length },
      leverage_step: { anyOf: [decisiveStep, { type: 'null' }] },
      candidates: { type: 'array', items: decisiveStep, description: 'the first of them is leverage_step' },
      twin: { anyOf: [twin, { type: 'null' }] },
      unavailable: { type: 'object', additionalProperties: text, description: 'field → why it is null' },
      omitted: {
        type: 'array',
        items: { type: 'object', required: ['what', 'count', 'reason'], properties: { what: text, count, reason: text } },
      },
    },
  },
  errors: [sessionNotFound],
})
