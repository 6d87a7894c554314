import type { RpcStatus } from '@loopkit/shared/otlp/responses'

/** What a request asks to store, whatever protocol it came by. */
export type Signal = 'traces' | 'logs' | 'metrics'
export type Encoding = 'json' | 'protobuf'
/** What brought a request; `internal` for the collector's own spans. */
export type Transport = 'http' | 'grpc' | 'internal'

/** Every way a request can be refused as a whole: its HTTP status, its gRPC code and whether the sender may try again. */
const REFUSALS = {
  malformed_protobuf: { status: 400, grpcCode: 3 },
  malformed_json: { status: 400, grpcCode: 3 },
  malformed_encoding: { status: 400, grpcCode: 3 },
  too_deep: { status: 400, grpcCode: 3 },
  too_many_values: { status: 400, grpcCode: 3 },
  ambiguous_credentials: { status: 400, grpcCode: 3 },
  incomplete_body: { status: 400, grpcCode: 3 },
  missing_credentials: { status: 401, grpcCode: 16 },
  invalid_api_key: { status: 401, grpcCode: 16 },
  insufficient_scope: { status: 403, grpcCode: 7 },
  sandbox_expired: { status: 403, grpcCode: 7 },
  project_deleted: { status: 403, grpcCode: 7 },
  not_found: { status: 404, grpcCode: 5 },
  method_not_allowed: { status: 405, grpcCode: 12 },
  slow_body: { status: 408, grpcCode: 4 },
  deadline_exceeded: { status: 504, grpcCode: 4 },
  body_too_large: { status: 413, grpcCode: 8 },
  media_type_unsupported: { status: 415, grpcCode: 3 },
  encoding_unsupported: { status: 415, grpcCode: 12 },
  internal: { status: 500, grpcCode: 13 },
  queue_full: { status: 503, grpcCode: 14, retryAfterS: 1 },
  in_flight_full: { status: 503, grpcCode: 14, retryAfterS: 1 },
  storage_full: { status: 503, grpcCode: 14, retryAfterS: 1 },
  storage_busy: { status: 503, grpcCode: 14, retryAfterS: 1 },
  storage_readonly: { status: 503, grpcCode: 14, retryAfterS: 1 },
  storage_failed: { status: 503, grpcCode: 14, retryAfterS: 1 },
  control_unavailable: { status: 503, grpcCode: 14, retryAfterS: 1 },
  stopping: { status: 503, grpcCode: 14, retryAfterS: 1 },
} as const satisfies Record<string, { status: number; grpcCode: number; retryAfterS?: number }>

export type RefusalCode = keyof typeof REFUSALS

export interface Refusal {
  kind: 'refused'
  code: RefusalCode
  /** For the sender: the code, a colon, what is wrong. Never quotes telemetry or a key. */
  message: string
}

/** The answer of the pipeline, before any protocol has put it into words. */
export type Outcome = { kind: 'accepted'; rejected: number; message: string } | Refusal

export function refused(code: RefusalCode, message: string): Refusal {
  return { kind: 'refused', code, message: `${code}: ${message}` }
}

export function describeRefusal(code: RefusalCode): { status: number; grpcCode: number; retryAfterS?: number } {
  return REFUSALS[code]
}

/** Everything was stored, or was there already. */
export const FULL_SUCCESS: Outcome = { kind: 'accepted', rejected: 0, message: '' }

/** The refusal as a google.rpc.Status. Who may try again is told when, and nobody else: exporters take a RetryInfo for permission. */
export function statusOfRefusal({ code, message }: Refusal): RpcStatus {
  const { grpcCode, retryAfterS } = describeRefusal(code)
  const status = { code: grpcCode, message }
  if (retryAfterS !== undefined) return { ...status, detail: { kind: 'retry_info', afterS: retryAfterS } }
  return grpcCode === INVALID_ARGUMENT ? { ...status, detail: { kind: 'bad_request', description: message } } : status
}

const INVALID_ARGUMENT = 3
