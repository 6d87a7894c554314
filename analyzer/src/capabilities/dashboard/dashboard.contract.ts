import { painStatusSchema, severitySchema, signalSchema, trendSchema, windowSchema } from '../../domain/packet/packet-schema.ts'
import { contract } from '../../http/contract.ts'

const text = { type: 'string' } as const
const maybeText = { type: ['string', 'null'] } as const
const maybeNumber = { type: ['number', 'null'] } as const
const count = { type: 'integer', minimum: 0 } as const
const time = { type: 'string', format: 'date-time' } as const

const side = {
  type: 'object',
  required: ['failures', 'runs', 'window'],
  properties: { failures: { type: 'number' }, runs: { type: 'number' }, window: { anyOf: [windowSchema, { type: 'null' }] } },
} as const

const verdictRow = {
  type: 'object',
  required: ['pain_id', 'change_id', 'before', 'after', 'change_percent', 'verdict'],
  properties: {
    pain_id: maybeText,
    title: maybeText,
    change_id: text,
    verdict: text,
    before: side,
    after: side,
    change_percent: maybeNumber,
    at: time,
  },
} as const

const dashboardSchema = {
  title: 'Dashboard',
  type: 'object',
  required: ['summary', 'value', 'open_pains', 'wins', 'regressions_detail', 'last_run', 'artifacts'],
  properties: {
    summary: {
      type: 'object',
      required: ['project_id', 'window', 'since_minutes', 'telemetry_read', 'failures', 'open_pain_count', 'regression_rate'],
      properties: {
        project_id: text,
        window: windowSchema,
        since_minutes: count,
        telemetry_read: count,
        failures: count,
        open_pain_count: count,
        regression_rate: maybeNumber,
      },
    },
    value: {
      type: 'object',
      required: ['headline', 'momentum', 'held_count', 'slipped_count', 'open_pain_count', 'regression_rate', 'derived'],
      properties: {
        headline: text,
        momentum: { enum: ['improving', 'steady', 'slipping', 'unmeasured'] },
        held_count: count,
        slipped_count: count,
        open_pain_count: count,
        regression_rate: maybeNumber,
        derived: { const: true },
      },
    },
    open_pains: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pain_id', 'title', 'signal_type', 'count', 'evidence_count'],
        properties: {
          pain_id: text,
          title: text,
          severity: severitySchema,
          signal_type: signalSchema,
          count,
          session_count: count,
          evidence_count: count,
          first_seen: time,
          last_seen: time,
          trend: trendSchema,
          status: painStatusSchema,
          provisional: { type: 'boolean' },
        },
      },
    },
    wins: { type: 'array', items: verdictRow },
    regressions_detail: { type: 'array', items: verdictRow },
    last_run: {
      anyOf: [
        {
          type: 'object',
          required: ['packet_id', 'status', 'created_at', 'since_minutes', 'telemetry_read', 'failures'],
          properties: {
            packet_id: text,
            status: text,
            created_at: time,
            since_minutes: count,
            telemetry_read: count,
            failures: count,
          },
        },
        { type: 'null' },
      ],
    },
    artifacts: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kind', 'packet_id', 'url', 'digest', 'created_at'],
        properties: {
          kind: { enum: ['issue_draft', 'eval_candidate', 'patch_plan', 'report'] },
          pain_id: text,
          packet_id: text,
          url: text,
          digest: text,
          created_at: time,
        },
      },
    },
  },
} as const

export const getDashboard = contract({
  operation: 'getDashboard',
  summary: 'What hurts, what was mended, and what the last diagnosis left behind',
  method: 'get',
  path: '/v1/dashboard',
  auth: { scopes: ['dashboard:read'] },
  query: { type: 'object', additionalProperties: false, properties: {} },
  status: 200,
  response: dashboardSchema,
  errors: [],
})

export const home = contract({
  operation: 'home',
  summary: 'Leads people to the dashboard and tells agents where to read on',
  method: 'get',
  path: '/',
  auth: 'none',
  status: 302,
  produces: 'text/plain; charset=utf-8',
  response: text,
  errors: [],
})

export const dashboardPage = contract({
  operation: 'dashboardPage',
  summary: 'The dashboard for people; the key rides in the link’s fragment and never reaches a log',
  method: 'get',
  path: '/dashboard',
  auth: 'none',
  status: 200,
  produces: 'text/html; charset=utf-8',
  response: text,
  errors: [],
})

export const dashboardContent = contract({
  operation: 'dashboardContent',
  summary: 'What the page shows once it is signed in',
  method: 'get',
  path: '/dashboard/content',
  auth: { scopes: ['dashboard:read'] },
  status: 200,
  produces: 'text/html; charset=utf-8',
  response: text,
  errors: [],
})

export const dashboardScript = contract({
  operation: 'dashboardScript',
  summary: 'The page’s script',
  method: 'get',
  path: '/dashboard/dashboard.js',
  auth: 'none',
  status: 200,
  produces: 'text/javascript; charset=utf-8',
  response: text,
  errors: [],
})

export const dashboardStyle = contract({
  operation: 'dashboardStyle',
  summary: 'The page’s style sheet',
  method: 'get',
  path: '/dashboard/dashboard.css',
  auth: 'none',
  status: 200,
  produces: 'text/css; charset=utf-8',
  response: text,
  errors: [],
})
