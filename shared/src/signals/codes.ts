import type { OtlpAttributes } from '../otlp/model.ts'
import { GRPC_STATUS_KEYS, HTTP_STATUS_KEYS, SQLSTATE_KEYS } from './keys.ts'

/** Names of google.rpc.Code by number. */
const GRPC_CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

/** The HTTP status a span carries under the current or the old key, number or text; null where it carries none. */
export function httpStatusOf(attributes: OtlpAttributes): number | null {
  for (const key of HTTP_STATUS_KEYS) {
    const value = attributes.get(key)
    if (value === undefined) continue
    const status = typeof value === 'number' ? value : typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : 0
    if (status >= 100 && status <= 599) return status
  }
  return null
}

/** The gRPC status as its name (`UNAVAILABLE`), from number or text; null where the span carries none that is known. */
export function grpcStatusOf(attributes: OtlpAttributes): string | null {
  for (const key of GRPC_STATUS_KEYS) {
    const value = attributes.get(key)
    if (value === undefined) continue
    if (typeof value === 'number') return GRPC_CODES[value] ?? null
    if (typeof value !== 'string') return null
    if (/^\d{1,2}$/.test(value)) return GRPC_CODES[Number(value)] ?? null
    const name = value.toUpperCase()
    return (GRPC_CODES as readonly string[]).includes(name) ? name : null
  }
  return null
}

/** A SQLSTATE (five letters and digits, not a class of success); null where there is none. */
export function sqlstateOf(attributes: OtlpAttributes): string | null {
  for (const key of SQLSTATE_KEYS) {
    const value = attributes.get(key)
    if (typeof value === 'string' && /^[0-9A-Z]{5}$/.test(value) && !/^0[0-2]/.test(value)) return value
  }
  return null
}
