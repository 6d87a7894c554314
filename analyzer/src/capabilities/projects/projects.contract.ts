import { contract } from '../../http/contract.ts'
import { invalidCursor } from '../../http/cursor.ts'
import { errorKind } from '../../http/errors.ts'

export const projectNotFound = errorKind({ code: 'project_not_found', status: 404, title: 'No project has this id' })

const projectSchema = {
  title: 'Project',
  type: 'object',
  required: [
    'project_id',
    'tenant_id',
    'project_name',
    'operator',
    'sandbox',
    'quota_spans',
    'expires_at',
    'retention_days',
    'recovery_epoch',
    'created_at',
  ],
  properties: {
    project_id: { type: 'string' },
    tenant_id: { type: 'string' },
    project_name: { type: 'string' },
    operator: { type: ['string', 'null'] },
    sandbox: { type: 'boolean' },
    quota_spans: { type: ['integer', 'null'] },
    expires_at: { type: ['string', 'null'], format: 'date-time' },
    retention_days: { type: ['integer', 'null'], description: 'null: as the instance has it' },
    recovery_epoch: { type: 'integer' },
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

const byId = {
  type: 'object',
  additionalProperties: false,
  required: ['id'],
  properties: { id: { type: 'string', maxLength: 100 } },
} as const

export const listProjects = contract({
  operation: 'listProjects',
  summary: 'Every project, in the order they were made',
  method: 'get',
  path: '/admin/projects',
  auth: 'admin',
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
      cursor: { type: 'string', maxLength: 100 },
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items: projectSchema }, next_cursor: { type: ['string', 'null'] } },
  },
  errors: [invalidCursor],
})

export const changeProject = contract({
  operation: 'changeProject',
  summary: 'Set a project’s cap, end, retention or tenant; null takes the cap, end or retention away',
  method: 'patch',
  path: '/admin/projects/{id}',
  auth: 'admin',
  params: byId,
  body: {
    title: 'ProjectChange',
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: {
      quota_spans: { type: ['integer', 'null'], minimum: 0, maximum: 1_099_511_627_776 },
      expires_at: { type: ['string', 'null'], format: 'date-time' },
      retention_days: { type: ['integer', 'null'], minimum: 1, maximum: 3650 },
      tenant_id: {
        type: 'string',
        description: 'lower-case letters, digits, - and _, at most 63',
        pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
      },
    },
  },
  status: 200,
  response: projectSchema,
  errors: [projectNotFound],
})

export const deleteProject = contract({
  operation: 'deleteProject',
  summary: 'End a project: its keys at once, its records with the next pass of retention',
  method: 'delete',
  path: '/admin/projects/{id}',
  auth: 'admin',
  params: byId,
  status: 200,
  response: {
    type: 'object',
    required: ['status', 'project_id'],
    properties: { status: { type: 'string', const: 'deleted' }, project_id: { type: 'string' } },
  },
  errors: [projectNotFound],
})

export const bumpRecoveryEpoch = contract({
  operation: 'bumpRecoveryEpoch',
  summary: 'Void a project’s recovery code after a leak; the answer holds the new one',
  method: 'post',
  path: '/admin/projects/{id}/recovery-epoch',
  auth: 'admin',
  params: byId,
  status: 200,
  response: {
    type: 'object',
    required: ['project_id', 'recovery_epoch', 'recovery_code'],
    properties: {
      project_id: { type: 'string' },
      recovery_epoch: { type: 'integer' },
      recovery_code: { type: 'string', description: 'For the project’s owner' },
    },
  },
  errors: [projectNotFound],
})
