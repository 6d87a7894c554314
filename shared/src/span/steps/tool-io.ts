import type { OtlpSpan } from '../../otlp/model.ts'
import { canonicalJson, jsonOf } from './json-parts.ts'
import { TOOL_ARGUMENTS_KEYS, TOOL_CALL_ID_KEYS } from './step-keys.ts'

/** What a tool was asked, in one spelling, so that equal arguments are equal texts; null where its span does not say. */
export function readToolArguments({ attributes }: OtlpSpan): string | null {
  for (const key of TOOL_ARGUMENTS_KEYS) {
    const value = attributes.get(key)
    if (value === undefined || value === null) continue
    const parsed = jsonOf(value)
    if (parsed !== undefined) return canonicalJson(parsed)
    if (typeof value === 'string') return value.trim()
  }
  return null
}

/** The arguments as sent, where they are text: what is no JSON at all is seen only there. */
export function rawToolArguments({ attributes }: OtlpSpan): string | null {
  for (const key of TOOL_ARGUMENTS_KEYS) {
    const value = attributes.get(key)
    if (typeof value === 'string') return value
  }
  return null
}

export function readToolCallId({ attributes }: OtlpSpan): string | null {
  for (const key of TOOL_CALL_ID_KEYS) {
    const value = attributes.get(key)
    if (typeof value === 'string' && value !== '') return value
  }
  return null
}
