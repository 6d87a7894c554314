import type { OtlpAttributes, OtlpSpan, OtlpValue } from '../otlp/model.ts'
import { canonicalJson, jsonOf, type Part, partOf, partsOf, textIn } from '../span/steps/json-parts.ts'
import { isHidden } from '../span/steps/tool-io.ts'
import { SUCCESS_KEYS, TOOL_ERROR_FLAG_KEYS, TOOL_RESULT_KEYS, TOOL_STATUS_KEYS } from './keys.ts'

/** A result larger than this is not parsed: an MCP error is short, and parsing a document for one word is not worth the time. */
const RESULT_MAX_CHARS = 65_536

/** What a tool said of its failure and in which attribute. */
export interface ToolError {
  because: string
  text: string | null
}

/** As much of a span as tells a tool's result; a record that is read again has no events at hand. */
export type ToolSpan = Pick<OtlpSpan, 'attributes'> & Partial<Pick<OtlpSpan, 'events'>>

/**
 * Whether a tool answered "I failed" inside a successful call (MCP `isError: true`, https://modelcontextprotocol.io/specification, or what
 * a framework calls it). Only the result's own flag counts, never the word inside what the tool returned as data.
 */
export function toolErrorOf(span: ToolSpan): ToolError | null {
  const flag = flagOf(span.attributes)
  for (const { from, value } of resultsOf(span)) {
    const result = resultOf(value)
    if (flag !== null) return { because: `${flag} says the tool failed`, text: result.text }
    if (result.isError) return { because: `${from} says the tool failed`, text: result.text }
  }
  return flag === null ? null : { because: `${flag} says the tool failed`, text: null }
}

/** The words of a tool's result, or the result as one text; null where the telemetry does not tell it. */
export function toolResultOf(span: ToolSpan): string | null {
  const [first] = resultsOf(span)
  if (first === undefined || isHidden(first.value)) return null
  return resultOf(first.value).text ?? canonicalJson(first.value)
}

function flagOf(attributes: OtlpAttributes): string | null {
  if (attributes.get('error.type') === 'tool_error') return 'error.type'
  const status = TOOL_STATUS_KEYS.find((key) => isOneOf(attributes.get(key), FAILED))
  return (
    TOOL_ERROR_FLAG_KEYS.find((key) => isTrue(attributes.get(key))) ??
    status ??
    SUCCESS_KEYS.find((key) => isOneOf(attributes.get(key), FALSE)) ??
    null
  )
}

const FAILED: ReadonlySet<OtlpValue> = new Set(['error', 'failed', 'failure', 'ERROR', 'FAILED'])
const FALSE: ReadonlySet<OtlpValue> = new Set([false, 'false', 'False'])

function isOneOf(value: OtlpValue | undefined, words: ReadonlySet<OtlpValue>): boolean {
  return value !== undefined && words.has(value)
}

function resultsOf({ attributes, events = [] }: ToolSpan): { from: string; value: OtlpValue }[] {
  const found = TOOL_RESULT_KEYS.flatMap((from) => {
    const value = attributes.get(from)
    // Google's ADK writes an empty object where contents are not recorded.
    const isTold = value !== undefined && value !== null && !(from === 'gcp.vertex.agent.tool_response' && value === '{}')
    return isTold ? [{ from, value }] : []
  })
  if (found.length > 0) return found
  const said = events.findLast(({ name }) => name === RESULT_EVENT)?.attributes.get('message')
  return said === undefined || said === null ? [] : [{ from: RESULT_EVENT, value: said }]
}

/** Strands tells a tool's result in an event of its span. */
const RESULT_EVENT = 'gen_ai.choice'

interface ToolResult {
  isError: boolean
  text: string | null
}

function resultOf(value: OtlpValue): ToolResult {
  const told = partOf(value)
  if (told !== null) return fromObject(told, null)
  if (typeof value !== 'string') return { isError: false, text: null }
  if (value.length > RESULT_MAX_CHARS) return { isError: false, text: value }
  if (/^\s*[{[]/.test(value) && MARKS.test(value)) return fromJson(value)
  return fromPrinted(value)
}

/** Without one of these a JSON text needs no parsing. */
const MARKS = /is_?error|"status"|"type":\s?"error|"text"|^\s*\{"output":\s?"/i

function fromJson(text: string): ToolResult {
  const parsed = jsonOf(text)
  const list = partsOf(parsed)
  if (list.length > 0) return { isError: false, text: wordsIn(list) ?? text }
  const part = partOf(parsed)
  return part === null ? { isError: false, text } : fromObject(part, text)
}

/** Objects around a result: a JSON-RPC answer, what LangChain and LangGraph hand on. */
const WRAPPERS = ['result', 'output', 'kwargs'] as const
const WRAPPINGS_MAX = 4

function fromObject(outermost: Part, text: string | null): ToolResult {
  let part = outermost
  for (let depth = 0; depth < WRAPPINGS_MAX; depth++) {
    if (saysFailed(part)) return { isError: true, text: wordsOf(part) ?? text }
    const handedOn = textHandedOn(part)
    if (handedOn !== null) return { isError: false, text: handedOn }
    const inner = WRAPPERS.map((name) => partOf(part.get(name))).find((one) => one !== null)
    if (inner === undefined) break
    part = inner
  }
  return { isError: false, text: wordsOf(part) ?? text }
}

/** A text that LangChain's callbacks hand on: `{"output": "…", "kwargs": {…}}`. */
function textHandedOn(part: Part): string | null {
  return part.size === 2 && part.has('kwargs') ? textIn(part, 'output') : null
}

/** MCP; Anthropic and AutoGen; LangChain's ToolMessage and Strands' ToolResult; the AI SDK. A status alone may be the tool's data. */
function saysFailed(part: Part): boolean {
  if (part.get('isError') === true || part.get('is_error') === true || part.get('isError') === 'true') return true
  const type = textIn(part, 'type')
  if (type === 'error-text' || type === 'error-json' || type === 'tool-error') return true
  const isToolMessage = part.has('tool_call_id') || part.has('toolUseId')
  return isToolMessage && part.get('status') === 'error'
}

/** A text under `content` is the result's own in a message of a tool; anywhere else it is a member of its data. */
function wordsOf(part: Part): string | null {
  const isMessage = part.has('tool_call_id') || part.has('toolUseId') || saysFailed(part)
  return (isMessage ? textIn(part, 'content', 'value') : null) ?? wordsIn(partsOf(part.get('content')))
}

function wordsIn(parts: readonly Part[]): string | null {
  const words = parts.slice(0, 8).flatMap((part) => textIn(part, 'text') ?? [])
  return words.length === 0 ? null : words.join('\n')
}

/** Python's repr of an MCP CallToolResult, its flag last, or of a LangChain ToolMessage, as agent instrumentations record them. */
function fromPrinted(text: string): ToolResult {
  if (/\bis_?[eE]rror=True[)\s]{0,4}$/.test(text)) {
    return { isError: true, text: /\btext='([^'\n]{1,2000})'/.exec(text)?.[1] ?? text }
  }
  const message = /^content=(['"])([^\n]{0,8000}?)\1 (?=[^\n]{0,400}tool_call_id=)/.exec(text)
  if (message === null) return { isError: false, text }
  return { isError: /\bstatus='error'[)\s]{0,4}$/.test(text), text: message[2]! }
}

function isTrue(value: OtlpValue | undefined): boolean {
  return value === true || value === 'true' || value === 'True'
}
