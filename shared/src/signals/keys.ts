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
  'langfuse.observation.status_message',
] as const

/**
 * Where a tool's result is found, by dialect: gen_ai, Pydantic AI, Google's ADK, Haystack, Langfuse, OpenInference, Traceloop, Vercel AI
 * SDK, MCP instrumentations, LangSmith.
 */
export const TOOL_RESULT_KEYS = [
  'gen_ai.tool.call.result',
  'tool_response',
  'gcp.vertex.agent.tool_response',
  'haystack.agent.step.tool.output',
  'langfuse.observation.output',
  'output.value',
  'traceloop.entity.output',
  'ai.toolCall.result',
  'mcp.response.value',
  'mcp.result',
  'tool.result',
  'gen_ai.completion',
] as const

/** Flags by which instrumentations copy MCP's `isError`, or say it in their own words. */
export const TOOL_ERROR_FLAG_KEYS = [
  'mcp.is_error',
  'mcp.tool.is_error',
  'mcp.tool.result.is_error',
  'tool.is_error',
  'tool.error',
  'isError',
  'haystack.tool.error',
] as const

/** Where instrumentations say in a word how a tool's run ended: Strands, and who follows it. */
export const TOOL_STATUS_KEYS = ['tool.status', 'gen_ai.tool.status', 'gen_ai.tool.call.status'] as const

/** Whether it went well, as Claude Code and others say it. */
export const SUCCESS_KEYS = ['success', 'tool.success', 'tool_success'] as const

/** Langfuse's word for how bad an observation is, and for why. */
export const LANGFUSE_LEVEL_KEY = 'langfuse.observation.level'

export const USER_FINGERPRINT_KEY = 'loopkit.fingerprint'

export const DETECTION_KEYS: readonly string[] = [
  ...HTTP_STATUS_KEYS,
  ...GRPC_STATUS_KEYS,
  ...SQLSTATE_KEYS,
  ...ERROR_MESSAGE_KEYS,
  ...TOOL_RESULT_KEYS,
  ...TOOL_ERROR_FLAG_KEYS,
  ...TOOL_STATUS_KEYS,
  ...SUCCESS_KEYS,
  LANGFUSE_LEVEL_KEY,
  'status_code',
  'error',
  'error.type',
  'exception.type',
  'exception.stacktrace',
  'otel.status_code',
  EVENT_NAME_KEY,
  USER_FINGERPRINT_KEY,
]
