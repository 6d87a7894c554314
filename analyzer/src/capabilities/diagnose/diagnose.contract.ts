import { packetSchema } from '../../domain/packet/packet-schema.ts'
import { contract } from '../../http/contract.ts'

/** Thirty days. */
export const SINCE_MINUTES_MAX = 43_200

export const diagnose = contract({
  operation: 'diagnose',
  summary: 'Read a window of telemetry and answer what hurts, with evidence',
  method: 'post',
  path: '/v1/runs/diagnose',
  auth: { scopes: ['runs:write'] },
  body: {
    type: 'object',
    additionalProperties: false,
    properties: {
      since_minutes: { type: 'integer', minimum: 1, maximum: SINCE_MINUTES_MAX },
      budget_tokens: { type: 'integer', minimum: 300 },
      service: { type: 'string', minLength: 1, maxLength: 256 },
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['ok', 'packet'],
    properties: { ok: { const: true }, packet: packetSchema },
  },
  errors: [],
})
