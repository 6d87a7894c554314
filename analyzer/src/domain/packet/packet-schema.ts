import { ASSERTION_KINDS } from '@loopkit/shared/eval-candidate/model'
import { SIGNAL_TYPES } from '@loopkit/shared/signals/signal-type'

const text = { type: 'string' } as const
const time = { type: 'string', format: 'date-time' } as const
const count = { type: 'integer', minimum: 0 } as const
const texts = { type: 'array', items: text } as const
const maybe = <S extends object>(schema: S) => ({ anyOf: [schema, { type: 'null' }] }) as const

export const severitySchema = { enum: ['low', 'medium', 'high', 'critical'] } as const
export const signalSchema = { enum: SIGNAL_TYPES } as const
export const painStatusSchema = { enum: ['new', 'in_progress', 'verified', 'regression'] } as const
export const trendSchema = { enum: ['new', 'rising', 'steady', 'falling', null] } as const
export const windowSchema = { type: 'object', required: ['from', 'to'], properties: { from: time, to: time } } as const

const evalCandidateSchema = {
  title: 'EvalCandidate',
  description: 'A test drafted from the evidence: it must fail on these records and pass on those',
  type: 'object',
  required: ['eval_id', 'status', 'missing', 'input', 'assertions', 'must_fail_on', 'must_pass_on'],
  properties: {
    eval_id: text,
    status: { enum: ['complete', 'incomplete'], description: 'incomplete: it knows a wrong result, not the right one' },
    missing: { ...texts, description: 'codes of what would complete it' },
    input: {
      type: 'object',
      required: ['record_id', 'trace_id', 'session_id', 'service', 'operation', 'request', 'attributes'],
      properties: {
        record_id: text,
        trace_id: text,
        session_id: text,
        service: text,
        operation: text,
        request: { type: ['string', 'null'], description: 'the words that the run began with' },
        attributes: { type: 'object' },
      },
    },
    assertions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kind', 'target', 'expected'],
        properties: { kind: { enum: ASSERTION_KINDS }, target: text, expected: {} },
      },
    },
    must_fail_on: texts,
    must_pass_on: maybe(texts),
  },
} as const

const patchPlanSchema = {
  title: 'PatchPlan',
  type: 'object',
  required: ['plan_digest', 'hypothesis', 'targets', 'steps', 'risk', 'verify'],
  properties: {
    plan_digest: text,
    hypothesis: text,
    targets: {
      type: 'array',
      items: {
        type: 'object',
        required: ['service', 'operation', 'files', 'functions', 'frames', 'tool', 'model', 'agent'],
        properties: {
          service: text,
          operation: text,
          files: texts,
          functions: texts,
          frames: texts,
          tool: { type: ['string', 'null'] },
          model: { type: ['string', 'null'] },
          agent: { type: ['string', 'null'] },
        },
      },
    },
    steps: texts,
    risk: { enum: ['low', 'medium', 'high'] },
    verify: {
      type: 'object',
      required: ['metric', 'minimum_runs', 'window_hours'],
      properties: {
        metric: text,
        minimum_runs: { type: ['integer', 'null'], minimum: 0 },
        window_hours: { type: ['integer', 'null'], minimum: 0 },
      },
    },
  },
} as const

const blastRadiusSchema = {
  type: 'object',
  required: ['services', 'routes', 'releases', 'sessions', 'users'],
  properties: {
    services: texts,
    routes: texts,
    releases: texts,
    sessions: count,
    users: { type: ['integer', 'null'], minimum: 0 },
  },
} as const

const contrastSchema = {
  type: 'object',
  required: ['attributes', 'share_failing', 'share_healthy', 'lift', 'n', 'p_adjusted', 'examples', 'counter_examples'],
  properties: {
    attributes: { type: 'object' },
    share_failing: { type: 'number' },
    share_healthy: { type: 'number' },
    lift: { type: 'number' },
    n: count,
    p_adjusted: { type: 'number' },
    examples: texts,
    counter_examples: texts,
  },
} as const

const suspectSchema = {
  type: 'object',
  required: ['change_id', 'kind', 'ref', 'shipped_at', 'distance_seconds', 'why'],
  properties: {
    change_id: text,
    kind: text,
    ref: { type: ['string', 'null'] },
    shipped_at: time,
    distance_seconds: { type: 'integer' },
    why: text,
  },
} as const

const traceSchema = {
  type: 'object',
  required: ['trace_id', 'session_id', 'failed_at'],
  properties: { trace_id: text, session_id: text, failed_at: time },
} as const

const draftSchema = { type: 'object', required: ['title', 'body_md'], properties: { title: text, body_md: text } } as const

/** One pain in a packet, field by field (contract §4). */
export const issueSchema = {
  title: 'Issue',
  type: 'object',
  required: [
    'pain_id',
    'title',
    'severity',
    'signal_type',
    'count',
    'session_count',
    'evidence_count',
    'evidence_ids',
    'traces',
    'first_seen',
    'last_seen',
    'trend',
    'trend_basis',
    'status',
    'provisional',
    'why',
    'blast_radius',
    'contrasts',
    'suspects',
    'next_action',
    'issue_draft',
    'eval_candidate',
    'patch_plan',
    'unavailable',
  ],
  additionalProperties: false,
  properties: {
    pain_id: text,
    title: text,
    severity: severitySchema,
    signal_type: signalSchema,
    count,
    session_count: count,
    evidence_count: count,
    evidence_ids: texts,
    traces: { type: 'array', items: traceSchema },
    first_seen: time,
    last_seen: time,
    trend: trendSchema,
    trend_basis: { enum: ['same_hours_of_earlier_weeks', 'same_hours_of_earlier_days', 'halves_of_the_window', null] },
    status: painStatusSchema,
    provisional: { type: 'boolean' },
    why: text,
    blast_radius: maybe(blastRadiusSchema),
    contrasts: maybe({ type: 'array', items: contrastSchema }),
    suspects: maybe({ type: 'array', items: suspectSchema }),
    next_action: text,
    issue_draft: maybe(draftSchema),
    eval_candidate: maybe(evalCandidateSchema),
    patch_plan: maybe(patchPlanSchema),
    unavailable: { type: 'object', additionalProperties: text, description: 'field → code of the reason why it cannot be said' },
  },
} as const

/** The schema that is served, and that tests validate against. */
export const packetSchema = {
  title: 'DiagnosisPacket',
  type: 'object',
  required: [
    'packet_id',
    'tenant_id',
    'project_id',
    'status',
    'issues',
    'approval_required',
    'approval_reason',
    'created_at',
    'source',
    'since_minutes',
    'window',
    'telemetry_read',
    'failures',
    'omitted',
    'schema_version',
  ],
  additionalProperties: false,
  properties: {
    packet_id: text,
    tenant_id: text,
    project_id: text,
    status: { enum: ['ready_for_issue_diagnosis', 'observe_more'] },
    issues: { type: 'array', items: issueSchema },
    approval_required: { type: 'boolean' },
    approval_reason: { type: ['string', 'null'] },
    created_at: time,
    source: text,
    service: { type: ['string', 'null'] },
    since_minutes: { type: 'integer', minimum: 1 },
    window: windowSchema,
    telemetry_read: count,
    failures: count,
    omitted: {
      type: 'array',
      items: {
        type: 'object',
        required: ['what', 'count', 'reason'],
        properties: { what: text, count, reason: text, ids: texts, evidence_ids: texts, href: text },
      },
    },
    schema_version: { type: 'integer' },
  },
} as const
