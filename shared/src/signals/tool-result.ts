import type { OtlpAttributes, OtlpValue } from '../otlp/model.ts'
import { canonicalJson } from '../span/steps/json-parts.ts'
import { TOOL_ERROR_FLAG_KEYS, TOOL_RESULT_KEYS } from './keys.ts'

/** A result larger than this is not parsed: an MCP error is short, and parsing a document for one word is not worth the time. */
const RESULT_MAX_CHARS = 65_536

/** What MCP's `isError` said and in which attribute. */
export interface ToolError {
  because: string
  text: string | null
}

/**
 * Whether a tool answered "I failed" inside a successful call (MCP `isError: true`, https://modelcontextprotocol.io/specification).
 * Only the result's own flag counts, never the word inside what the tool returned as data.
 */
export function toolErrorOf(attributes: OtlpAttributes): ToolError | null {
  const type = attributes.get('error.type')
  const flag = type === 'tool_error' ? 'error.type' : TOOL_ERROR_FLAG_KEYS.find((key) => isTrue(attributes.get(key)))
  for (const key of TOOL_RESULT_KEYS) {
    const value = attributes.get(key)
    if (value === undefined) continue
    const result = resultOf(value)
    if (flag !== undefined) return { because: `${flag} says the tool failed`, text: result.text }
    if (result.isError) return { because: `${key} holds isError: true`, text: result.text }
  }
  return flag === undefined ? null : { because: `${flag} says the tool failed`, text: null }
}

/** The words of a tool's result, or the result as one text; null where the telemetry does not tell it. */
export function toolResultOf(attributes: OtlpAttributes): string | null {
  for (const key of TOOL_RESULT_KEYS) {
    const value = attributes.get(key)
    if (value === undefined || value === null) continue
    return resultOf(value).text ?? canonicalJson(value)
  }
  return null
}

interface ToolResult {
  isError: boolean
  text: string | null
}

function resultOf(value: OtlpValue): ToolResult {
  if (value instanceof Map) return { isError: isTrue(value.get('isError')), text: null }
  if (typeof value !== 'string') return { isError: false, text: null }
  if (value.length > RESULT_MAX_CHARS || !value.includes('isError')) return { isError: false, text: value }
  if (value.startsWith('{')) return fromJson(value)
  // Python's repr of an MCP CallToolResult, as agent instrumentations record it; the flag is its last field.
  return { isError: /\bisError=True[)\s]{0,4}$/.test(value), text: /\btext='([^'\n]{1,2000})'/.exec(value)?.[1] ?? value }
}

function fromJson(text: string): ToolResult {
  const parsed = parse(text)
  const result = isRecord(parsed) && isRecord(parsed.result) ? parsed.result : parsed
  if (!isRecord(result)) return { isError: false, text }
  const parts = Array.isArray(result.content) ? result.content.slice(0, 8) : []
  const words = parts.flatMap((part: unknown) => (isRecord(part) && typeof part.text === 'string' ? [part.text] : []))
  return { isError: result.isError === true, text: words.length > 0 ? words.join('\n') : text }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTrue(value: OtlpValue | undefined): boolean {
  return value === true || value === 'true' || value === 'True'
}
