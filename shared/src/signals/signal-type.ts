/** The closed list of what kind of trouble a record shows (contract §5), in the order of their stored numbers (1 is the first). */
export const SIGNAL_TYPES = [
  'exception',
  'error_status',
  'tool_failure',
  'llm_error',
  'timeout',
  'rate_limited',
  'auth_failure',
  'dependency_failure',
  'retry_storm',
  'repeated_step',
  'empty_output',
  'truncated_output',
  'refusal',
  'invalid_tool_arguments',
  'orphan_tool_call',
  'slow',
  'cost_outlier',
  'negative_feedback',
  'incomplete',
] as const

export type SignalType = (typeof SIGNAL_TYPES)[number]
