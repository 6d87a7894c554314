import type { OtlpValue } from '../../otlp/model.ts'
import { plainReason } from '../view-draft.ts'
import { jsonOf, type Part, partOf, partsOf, textIn } from './json-parts.ts'

/** Messages that a provider's whole answer holds; null where it is of no shape that is known. */
export function messagesOfAnswer(answer: unknown, depth = 0): Part[] | null {
  if (depth > WRAPPINGS_MAX) return null
  if (Array.isArray(answer)) return listOf(answer, depth)
  const part = partOf(answer)
  if (part === null) return null
  if (isMessage(part)) return [part]
  for (const name of LISTS) if (Array.isArray(part.get(name))) return listOf(part.get(name), depth)
  for (const name of WRAPPERS) {
    const inner = partOf(part.get(name))
    if (inner !== null) return messagesOfAnswer(inner, depth + 1)
  }
  return textIn(part, 'text') === null ? null : [new Map([['content', textIn(part, 'text')]])]
}

/** OpenAI's choices, LangChain's generations (lists in a list), Gemini's candidates, Haystack's replies, the Responses API's items. */
const LISTS = ['choices', 'generations', 'candidates', 'replies', 'output'] as const
/** One message: Ollama, Bedrock's Converse, LangChain's serialized objects, a choice, Gemini's content. */
const WRAPPERS = ['message', 'output', 'kwargs', 'content'] as const
const WRAPPINGS_MAX = 6
const MESSAGES_MAX = 32

function listOf(list: unknown, depth: number): Part[] | null {
  const items = (list as unknown[]).slice(0, MESSAGES_MAX)
  const found = items.map((item) => messagesOfAnswer(item, depth + 1))
  return items.length === 0 || found.includes(null) ? null : found.flatMap((messages) => messages!)
}

function isMessage(part: Part): boolean {
  const content = part.get('content')
  if (typeof content === 'string' || Array.isArray(content) || Array.isArray(part.get('parts'))) return true
  return part.has('tool_calls') || part.has('function_call') || textIn(part, 'type') === 'function_call'
}

const REASON_NAMES: ReadonlySet<string> = new Set(['finish_reason', 'finishReason', 'stop_reason', 'stopReason', 'done_reason'])
const REASONS_MAX = 8
const DEPTH_MAX = 7
/** An answer has few parts; more were a document that it holds. */
const PARTS_MAX = 500

/** How an answer says that it ended, wherever in it that stands: a name of its own, which no text inside can be. */
export function finishReasonsIn(value: OtlpValue | undefined): string[] {
  if (typeof value === 'string' && !/(?:finish|stop|done)_?reason/i.test(value)) return []
  const found: string[] = []
  let left = PARTS_MAX
  const look = (inner: unknown, depth: number): void => {
    if (depth > DEPTH_MAX || left-- <= 0 || found.length >= REASONS_MAX) return
    if (Array.isArray(inner)) for (const item of inner.slice(0, MESSAGES_MAX)) look(item, depth + 1)
    else
      for (const [name, member] of partOf(inner) ?? []) {
        if (REASON_NAMES.has(name) && typeof member === 'string' && member !== '') found.push(plainReason(member))
        else if (typeof member === 'object' && member !== null && !ARGUMENTS.has(name)) look(member, depth + 1)
      }
  }
  look(jsonOf(value), 0)
  return found
}

/** What a model wrote for a tool is the tool's. */
const ARGUMENTS: ReadonlySet<string> = new Set(['arguments', 'args', 'input', 'tool_calls', 'messages'])

/** A call of a tool that stands under its own name in a part without a type: Gemini, Bedrock's Converse, Haystack. */
export function callInPart(part: Part): Part | null {
  for (const name of ['functionCall', 'function_call', 'toolUse', 'tool_call'] as const) {
    const call = partOf(part.get(name))
    if (call !== null) return call
  }
  return null
}

export function messagesIn(value: OtlpValue | undefined): Part[] | null {
  const parsed = jsonOf(value)
  return parsed === undefined ? null : (messagesOfAnswer(parsed) ?? null)
}

/** The events of an answer as one list: Pydantic AI's first format. */
export function choicesInEvents(value: OtlpValue | undefined): Part[] {
  return partsOf(jsonOf(value)).filter((event) => textIn(event, 'event.name') === 'gen_ai.choice')
}
