import type { OtlpSpan, OtlpValue } from '../../otlp/model.ts'
import { canonicalJson, jsonOf, partOf, textIn } from './json-parts.ts'
import { TOOL_ARGUMENTS_KEYS, TOOL_CALL_ID_KEYS } from './step-keys.ts'

/** What a tool was asked, in one spelling, so that equal arguments are equal texts; null where its span does not say. */
export function readToolArguments(span: OtlpSpan): string | null {
  const value = toolArgumentsOf(span)
  if (value === null || isHidden(value)) return null
  const parsed = jsonOf(value)
  if (parsed !== undefined) return canonicalJson(unwrapArguments(parsed))
  return typeof value === 'string' ? value.trim() : null
}

/**
 * OpenLLMetry's: `{"input_str", "inputs", "kwargs", …}` of LangChain's callbacks; `{"args", "kwargs"}` of a decorated function that is called
 * by names, as models call it.
 */
export function unwrapArguments(parsed: unknown): unknown {
  const part = partOf(parsed)
  if (part === null) return parsed
  const inputs = part.get('inputs')
  if (part.has('input_str')) return partOf(inputs) === null ? (jsonOf(textIn(part, 'input_str') ?? undefined) ?? parsed) : inputs
  const [args, kwargs] = [part.get('args'), part.get('kwargs')]
  const isCall = part.size === 2 && Array.isArray(args) && args.length === 0 && partOf(kwargs) !== null
  return isCall ? kwargs : parsed
}

/** The arguments as sent, where they are text: what is no JSON at all is seen only there. */
export function rawToolArguments({ attributes }: OtlpSpan): string | null {
  for (const key of TOOL_ARGUMENTS_KEYS) {
    const value = attributes.get(key)
    if (typeof value === 'string') return value
  }
  return null
}

function toolArgumentsOf({ attributes, events }: OtlpSpan): OtlpValue {
  for (const key of TOOL_ARGUMENTS_KEYS) {
    const value = attributes.get(key)
    if (value === undefined || value === null) continue
    // Google's ADK writes an empty object where contents are not recorded.
    if (key !== 'gcp.vertex.agent.tool_call_args' || value !== '{}') return value
  }
  return events.find(({ name }) => name === TOOL_MESSAGE_EVENT)?.attributes.get('content') ?? null
}

/** Strands tells what a tool was asked in an event of its span. */
const TOOL_MESSAGE_EVENT = 'gen_ai.tool.message'

/** A mask in place of a content, whole: who masks one masks them all, so that equal masks are no equal values. */
export function isHidden(value: OtlpValue): boolean {
  return typeof value === 'string' && MASK.test(value)
}

const MASK = /^["'[\](){}<>_#\s-]{0,12}(?:redacted|masked|omitted|filtered|scrubbed|\*{3,40}|x{3,40})["'[\](){}<>_#\s-]{0,12}$/i

export function readToolCallId({ attributes }: OtlpSpan): string | null {
  for (const key of TOOL_CALL_ID_KEYS) {
    const value = attributes.get(key)
    if (typeof value === 'string' && value !== '') return value
  }
  return null
}
