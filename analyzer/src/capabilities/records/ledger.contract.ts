import { windowSchema } from '../../domain/packet/packet-schema.ts'
import { contract } from '../../http/contract.ts'
import { invalidId, omittedSchema } from './records.contract.ts'

const text = { type: 'string' } as const
const count = { type: 'integer', minimum: 0 } as const
const counts = { type: 'object', additionalProperties: count, description: 'reason → how many' } as const
const maybeTime = { type: ['string', 'null'] } as const

export const getLedger = contract({
  operation: 'getIngestLedger',
  summary: 'What became of everything that was sent: accepted, rejected, deduplicated, redacted, capped',
  method: 'get',
  path: '/v1/ingest/ledger',
  auth: { scopes: ['telemetry:read'] },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: { since_minutes: { type: 'integer', minimum: 1, maximum: 43_200 } },
  },
  status: 200,
  response: {
    title: 'IngestLedger',
    type: 'object',
    required: ['window', 'received', 'accepted', 'deduplicated', 'rejected', 'redacted', 'capped', 'refused_requests'],
    properties: {
      window: windowSchema,
      accepted: { ...count, description: 'distinct spans' },
      received: {
        ...count,
        description:
          'accepted + deduplicated + rejected + kept + not_kept: every span, log record and point of answered requests',
      },
      deduplicated: { ...count, description: 'spans and log records that came again; replaced and conflicts are among them' },
      rejected: counts,
      redacted: count,
      capped: count,
      refused_requests: counts,
      kept: { ...counts, description: 'log records that became records, as {logs: n}' },
      not_kept: { ...counts, description: 'signal → how many were accepted and not kept' },
      replaced: { ...count, description: 'spans that came again ended, and replaced the one that had not ended' },
      conflicts: { ...count, description: 'spans of known ids with another content: the first one stays' },
    },
  },
  errors: [],
})

export const getReceipt = contract({
  operation: 'getTraceReceipt',
  summary: 'Where is my trace?',
  method: 'get',
  path: '/v1/traces/{id}/receipt',
  auth: { scopes: ['telemetry:read'] },
  params: { type: 'object', required: ['id'], properties: { id: { type: 'string', minLength: 1, maxLength: 1024 } } },
  status: 200,
  response: {
    title: 'TraceReceipt',
    type: 'object',
    required: [
      'trace_id',
      'found',
      'spans',
      'first_received_at',
      'last_received_at',
      'deduplicated',
      'rejected',
      'decided_at',
      'services',
      'stored_in',
    ],
    properties: {
      trace_id: text,
      found: { type: 'boolean' },
      spans: count,
      logs: { ...count, description: 'log records that name the trace' },
      first_received_at: maybeTime,
      last_received_at: maybeTime,
      deduplicated: { type: ['integer', 'null'] },
      rejected: { anyOf: [counts, { type: 'null' }] },
      decided_at: maybeTime,
      services: { type: 'array', items: text },
      stored_in: { type: 'array', items: text, description: 'commits that hold its spans' },
      unavailable: { type: 'object', additionalProperties: text },
      omitted: omittedSchema,
    },
  },
  errors: [invalidId],
})
