import type { SignalType } from './signal-type.ts'

const TITLE_MAX_CHARS = 160

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
}

/** What a title is made of; all of it is stored with the fingerprint. */
export interface TitleParts {
  signal: SignalType
  operation: string
  errorType: string | null
  template: string
}

/** One readable line that names a pain: what failed, where, in which words. Never empty, at most 160 characters, no control characters. */
export function titleOf({ signal, operation, errorType, template }: TitleParts): string {
  const signalWords = SIGNAL_WORDS[signal] ?? signal.replaceAll('_', ' ')
  const type = errorType === null ? signalWords : /^\d+$/.test(errorType) ? `${signalWords} (${errorType})` : shortType(errorType)
  const where = operation.replace(/^execute_tool /, '')
  const head = where === '' ? type : `${type} in ${where}`
  const line = template === '' || template === '*' ? head : `${head}: ${template}`
  const clean = line.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return clean.length <= TITLE_MAX_CHARS ? clean : `${clean.slice(0, TITLE_MAX_CHARS - 1)}…`
}

function shortType(type: string): string {
  return /^[\w$.]+$/.test(type) ? type.slice(type.lastIndexOf('.') + 1) : type
}
