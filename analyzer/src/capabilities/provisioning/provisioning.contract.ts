import { projectSecretsSchema, projectTermsSchema, signupAnswerSchema } from '../../domain/signup-answer.ts'
import { contract } from '../../http/contract.ts'
import { doorErrors, errorKind } from '../../http/errors.ts'

export const projectExists = errorKind({
  code: 'project_exists',
  status: 401,
  title: 'The project exists: one of its keys is needed',
})
export const foreignProject = errorKind({
  code: 'project_of_another_key',
  status: 403,
  title: 'The key belongs to another project',
})
export const selfServeOff = errorKind({ code: 'self_serve_off', status: 403, title: 'Projects are not made without a key here' })
export const projectLimitReached = errorKind({
  code: 'project_limit_reached',
  status: 403,
  title: 'This instance holds as many projects as it may',
})
export const upgradeDisabled = errorKind({ code: 'upgrade_disabled', status: 503, title: 'Upgrades are switched off' })
export const invalidUpgradeCode = errorKind({ code: 'invalid_upgrade_code', status: 403, title: 'The upgrade code is not right' })

/** What must not be kept as a name: a key or a code that was pasted into the wrong field. */
const NO_SECRET = '(?!.*(lk_(ingest|agent|dashboard)_|[0-9a-fA-F]{64}))'
/**
 * Characters that nobody sees: controls, bidi, zero width, surrogates, private use, tags. Written out, because the published
 * schema is also read by regular expressions that know no Unicode classes.
 */
const UNSEEN =
  '\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ud800-\\uf8ff\\ufeff\\ufff9-\\uffff\u{e0000}-\u{e0fff}'
/** A name as people write it, in whatever script: not blank, no control characters. */
const projectName = {
  type: 'string',
  description: 'text in any script, not blank, without control characters and without keys',
  minLength: 1,
  maxLength: 100,
  pattern: `^${NO_SECRET}[^${UNSEEN}]*[^${UNSEEN}\\s][^${UNSEEN}]*$`,
} as const
const operatorName = {
  type: 'string',
  description: 'text in any script, without control characters and without keys',
  maxLength: 100,
  pattern: `^${NO_SECRET}[^${UNSEEN}]*$`,
} as const

export const provision = contract({
  operation: 'provision',
  summary: 'Make a permanent project and get its keys; with a key of that project, resume it',
  method: 'post',
  path: '/v1/provision',
  auth: 'optional',
  limit: 'onboarding',
  body: {
    title: 'ProvisionRequest',
    type: 'object',
    additionalProperties: false,
    required: ['project_name'],
    properties: { project_name: projectName, operator: operatorName },
  },
  status: 201,
  otherStatuses: [200],
  response: {
    title: 'ProvisionAnswer',
    type: 'object',
    description: 'Keys, recovery code and dashboard link only when the project was made by this call (201)',
    required: ['project_id', 'quota_spans', 'expires_at', 'ingest_url', 'diagnose_url', 'resumed', 'graduated'],
    properties: {
      ...projectSecretsSchema,
      ...projectTermsSchema,
      resumed: { type: 'boolean' },
      graduated: { type: 'boolean' },
    },
  },
  errors: [projectExists, foreignProject, selfServeOff, projectLimitReached, doorErrors.insufficientScope],
})

export const signup = contract({
  operation: 'signup',
  summary: 'Make a fresh sandbox project: capped, and it ends',
  method: 'post',
  path: '/v1/signup',
  auth: 'none',
  limit: 'onboarding',
  body: {
    title: 'SignupRequest',
    type: 'object',
    additionalProperties: false,
    properties: { project_name: projectName },
  },
  status: 201,
  response: signupAnswerSchema,
  errors: [selfServeOff, projectLimitReached],
})

const legacyKey = { type: 'string', minLength: 32, maxLength: 200, pattern: '^[\\x21-\\x7e]+$' } as const

export const upgrade = contract({
  operation: 'upgradeSignup',
  summary: 'Make a sandbox permanent with a code from the instance’s owner; its span cap stays',
  method: 'post',
  path: '/v1/signup/upgrade',
  auth: 'handler',
  body: {
    title: 'UpgradeRequest',
    type: 'object',
    additionalProperties: false,
    required: ['code'],
    properties: {
      code: { type: 'string', minLength: 1, maxLength: 256, description: 'Hex HMAC-SHA256' },
      producer_key: {
        ...legacyKey,
        description: 'a key in visible ASCII; once, for a project whose keys are not in the index yet',
      },
      agent_key: { ...legacyKey, description: 'a key in visible ASCII; once, for a project whose keys are not in the index yet' },
    },
  },
  status: 200,
  response: {
    title: 'UpgradeAnswer',
    type: 'object',
    required: ['project_id', 'graduated', 'quota_spans'],
    properties: {
      project_id: projectTermsSchema.project_id,
      graduated: { type: 'boolean' },
      quota_spans: projectTermsSchema.quota_spans,
    },
  },
  errors: [upgradeDisabled, invalidUpgradeCode, doorErrors.insufficientScope],
})
