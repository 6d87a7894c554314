import { EVENT_NAME_KEY } from '../otlp/log-keys.ts'

/**
 * Attribute keys that hard detections read beyond what the span view reads. The collector decodes only these and the view's,
 * so a key that is read and not listed here would be seen by reads and not at the door.
 */

export const HTTP_STATUS_KEYS = ['http.response.status_code', 'http.status_code'] as const

export const GRPC_STATUS_KEYS = ['rpc.grpc.status_code', 'rpc.response.status_code'] as const

export const SQLSTATE_KEYS = ['db.response.status_code', 'db.sqlstate', 'db.postgresql.sqlstate', 'exception.sqlstate'] as const

/** Where instrumentations put the words of an error when they send no exception event. In order of trust. */
export const ERROR_MESSAGE_KEYS = [
  'exception.message',
  'error.message',
  'grpc.error_message',
  'otel.status_description',
  'error.msg',
] as const

/** Where a tool's result is found, by dialect: gen_ai, OpenInference, Traceloop, Vercel AI SDK, MCP instrumentations. */
export const TOOL_RESULT_KEYS = [
  'gen_ai.tool.call.result',
  'output.value',
  'traceloop.entity.output',
  'ai.toolCall.result',
  'mcp.response.value',
  'mcp.result',
  'tool.result',
] as const

/** Flags by which instrumentations copy MCP's `isError`. */
export const TOOL_ERROR_FLAG_KEYS = [
  'mcp.is_error',
  'mcp.tool.is_error',
  'mcp.tool.result.is_error',
  'tool.is_error',
  'isError',
] as const

export const USER_FINGERPRINT_KEY = 'loopkit.fingerprint'

export const DETECTION_KEYS: readonly string[] = [
  ...HTTP_STATUS_KEYS,
  ...GRPC_STATUS_KEYS,
  ...SQLSTATE_KEYS,
  ...ERROR_MESSAGE_KEYS,
  ...TOOL_RESULT_KEYS,
  ...TOOL_ERROR_FLAG_KEYS,
  'error',
  'error.type',
  'exception.type',
  'exception.stacktrace',
  'otel.status_code',
  EVENT_NAME_KEY,
  USER_FINGERPRINT_KEY,
]
