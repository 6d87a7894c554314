import type { SignalType } from './signal-type.ts'

const TITLE_MAX_CHARS = 160
/** Of it what a rule grouped by. */
const GROUPS_MAX_CHARS = 60

/** What a pain is called where nothing else is known of it. */
const SIGNAL_WORDS: Partial<Record<SignalType, string>> = {
  exception: 'Exception',
  error_status: 'Error',
  tool_failure: 'Tool failure',
  llm_error: 'Model error',
  timeout: 'Timeout',
  rate_limited: 'Rate limited',
  auth_failure: 'Refused',
  dependency_failure: 'Dependency failure',
  invalid_tool_arguments: 'Invalid tool arguments',
}

/** Signals of a step that did not fail: what their type says is a detail of them and no name. */
const SOFT_WORDS: Partial<Record<SignalType, string>> = {
  retry_storm: 'Retry storm',
  repeated_step: 'Repeated step',
  empty_output: 'Empty output',
  truncated_output: 'Truncated output',
  refusal: 'Refusal',
  orphan_tool_call: 'Orphan tool call',
  slow: 'Slow',
  cost_outlier: 'Cost outlier',
  negative_feedback: 'Negative feedback',
  incomplete: 'Never ended',
}

/** What a title is made of; all of it is stored with the fingerprint. */
export interface TitleParts {
  signal: SignalType
  operation: string
  errorType: string | null
  template: string
  /** Of its fingerprint: where a person's rule or a split made it, it is called by that too. */
  steps?: readonly { step: string; value: string }[]
}

/** One readable line that names a pain: what failed, where, in which words. Never empty, at most 160 characters, no control characters. */
export function titleOf({ signal, operation, errorType, template, steps = [] }: TitleParts): string {
  const type = typeOf(signal, errorType)
  const where = operation.replace(/^execute_tool /, '')
  const head = where === '' ? type : `${type} in ${where}`
  const line = template === '' || template === '*' ? head : `${head}: ${template}`
  const groups = steps.flatMap(({ step, value }) => (step.startsWith('by ') ? [`${step.slice(3)}=${value}`] : []))
  const tail = groups.length === 0 ? '' : ` (${cut(plain(groups.join(', ')), GROUPS_MAX_CHARS)})`
  return cut(plain(line), TITLE_MAX_CHARS - tail.length) + tail
}

function typeOf(signal: SignalType, errorType: string | null): string {
  const words = SOFT_WORDS[signal] ?? SIGNAL_WORDS[signal] ?? signal.replaceAll('_', ' ')
  if (errorType === null) return words
  return SOFT_WORDS[signal] !== undefined || /^\d+$/.test(errorType) ? `${words} (${errorType})` : shortType(errorType)
}

function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
}

function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`
}

function shortType(type: string): string {
  return /^[\w$.]+$/.test(type) ? type.slice(type.lastIndexOf('.') + 1) : type
}
