import { signupAnswerSchema } from '../../domain/signup-answer.ts'
import { contract } from '../../http/contract.ts'
import { errorKind } from '../../http/errors.ts'

export const recoveryRefused = errorKind({
  code: 'recovery_refused',
  status: 401,
  title: 'The recovery code is not right, or there is no such project',
})

export const recover = contract({
  operation: 'recover',
  summary: 'Get new keys with the recovery code; the old ones, dashboard links included, end at once',
  method: 'post',
  path: '/v1/recover',
  auth: 'none',
  limit: 'onboarding',
  body: {
    title: 'RecoverRequest',
    type: 'object',
    additionalProperties: false,
    required: ['project_id', 'recovery_code'],
    properties: {
      project_id: { type: 'string', minLength: 1, maxLength: 100 },
      recovery_code: { type: 'string', minLength: 1, maxLength: 256, description: 'Hex HMAC-SHA256, as it was shown at signup' },
    },
  },
  status: 200,
  response: signupAnswerSchema,
  errors: [recoveryRefused],
})
