import type { OtlpAttributes, OtlpSpan, OtlpValue } from '../../otlp/model.ts'
import { jsonOf, type Part, partOf, partsOf, textIn } from './json-parts.ts'
import { callInPart, choicesInEvents, finishReasonsIn, messagesIn } from './raw-answer.ts'
import { EVENTS_KEY, OUTPUT_MESSAGES_KEY, RAW_OUTPUT_KEYS } from './step-keys.ts'

/** A tool that a model asked for. */
export interface ToolCall {
  id: string | null
  name: string | null
  /** As sent: a JSON text, an object, or null where the telemetry does not say. */
  arguments: unknown
}

/** What a model call answered, as far as its span tells. */
export interface ModelOutput {
  /** The words; '' where it answered none. */
  text: string
  calls: ToolCall[]
  /** What the provider calls a refusal, in the model's words. */
  refusal: string | null
  /** It answered something that is neither words nor a tool call: an image, audio, a part that is not known. */
  hasOther: boolean
}

/** Messages of one answer that are read. */
const MESSAGES_MAX = 32
const CALLS_MAX = 128

/** The answer of a model call in whichever dialect its span tells it; null where the span does not tell it. */
export function readModelOutput(span: OtlpSpan): ModelOutput | null {
  const output: ModelOutput = { text: '', calls: [], refusal: null, hasOther: false }
  const { attributes } = span
  const told = [
    readMessages(output, jsonOf(attributes.get(OUTPUT_MESSAGES_KEY))),
    ...span.events.map((event) => readEvent(output, event.name, event.attributes)),
    ...choicesInEvents(attributes.get(EVENTS_KEY)).map((event) => readMessages(output, [event.get('message')])),
    readNumbered(output, attributes),
    readVercel(output, attributes),
  ]
  const raw = RAW_OUTPUT_KEYS.map((key) => attributes.get(key)).find((value) => value !== undefined && value !== null)
  if (!told.includes(true)) return readRaw(output, raw) ? output : null
  // The raw answer beside the messages: whatever the messages leave out, an empty one must not be claimed.
  if (isSilent(output)) readRaw(output, raw)
  return output
}

/** How a model call ended, where the answer itself says so: for spans of which no attribute of its own does. */
export function readFinishReasons({ attributes, events }: OtlpSpan): string[] {
  const said = [
    ...[OUTPUT_MESSAGES_KEY, EVENTS_KEY, ...RAW_OUTPUT_KEYS].flatMap((key) => finishReasonsIn(attributes.get(key))),
    ...events.flatMap(({ name, attributes: of }) =>
      CHOICE_EVENTS.has(name)
        ? [...of].flatMap(([key, value]) => finishReasonsIn(new Map([[key, jsonOf(value) ?? value]]) as OtlpValue))
        : [],
    ),
  ]
  return [...new Set(said)]
}

function isSilent({ text, calls, refusal, hasOther }: ModelOutput): boolean {
  return text.trim() === '' && calls.length === 0 && refusal === null && !hasOther
}

/** `[{role, parts: [{type, …}]}]`, or the older `[{role, content, tool_calls}]`. */
function readMessages(output: ModelOutput, value: unknown): boolean {
  if (!Array.isArray(value)) return false
  for (const message of partsOf(value).slice(0, MESSAGES_MAX)) readMessage(output, message)
  return true
}

function readMessage(output: ModelOutput, message: Part): void {
  // The Responses API lists calls beside messages.
  if (textIn(message, 'type') === 'function_call') addCall(output, message)
  addText(output, textIn(message, 'content'))
  for (const part of partsOf(message.get('content'))) readContentPart(output, part)
  for (const part of partsOf(message.get('parts'))) readContentPart(output, part)
  for (const call of partsOf(jsonOf(message.get('tool_calls') as OtlpValue))) addCall(output, call)
  const single = partOf(message.get('function_call'))
  if (single) addCall(output, single)
  output.refusal ??= textIn(message, 'refusal')
}

function readContentPart(output: ModelOutput, part: Part): void {
  const call = callInPart(part)
  const type = textIn(part, 'type') ?? 'text'
  if (call !== null) addCall(output, call)
  else if (type === 'text' || type === 'output_text') {
    const text = textIn(part, 'content', 'text')
    // A part whose words were left out by the sender is not an empty one.
    if (text === null) output.hasOther = true
    else addText(output, text)
  } else if (type === 'tool_call' || type === 'tool_use' || type === 'function_call') addCall(output, part)
  else if (type === 'refusal') output.refusal ??= textIn(part, 'refusal', 'content', 'text') ?? ''
  else if (type !== 'reasoning' && type !== 'thinking') output.hasOther = true
}

const CHOICE_EVENTS: ReadonlySet<string> = new Set([
  'gen_ai.choice',
  'gen_ai.content.completion',
  'gen_ai.client.inference.operation.details',
])

/** Answers as events: `gen_ai.choice` of earlier conventions, and the details event that carries the messages. */
function readEvent(output: ModelOutput, name: string, attributes: OtlpAttributes): boolean {
  if (attributes.has(OUTPUT_MESSAGES_KEY)) return readMessages(output, jsonOf(attributes.get(OUTPUT_MESSAGES_KEY)))
  if (!CHOICE_EVENTS.has(name)) return false
  const completion = jsonOf(attributes.get('gen_ai.completion'))
  if (completion !== undefined) return readMessages(output, completion)
  const body = partOf(jsonOf(attributes.get('gen_ai.event.content')))
  const sent = attributes.get('message') ?? (body?.get('message') as OtlpValue)
  const told = jsonOf(sent)
  const message = Array.isArray(told) ? new Map([['content', told]]) : partOf(told)
  if (message !== null) readMessage(output, message)
  else if (typeof sent === 'string') addText(output, sent)
  return message !== null || typeof sent === 'string'
}

const OPEN_INFERENCE =
  /^llm\.output_messages\.\d{1,4}\.message\.(?:(role)|(content)|contents\.\d{1,4}\.message_content\.(text)|contents\.\d{1,4}\.message_content\.(image)|tool_calls\.(\d{1,4})\.tool_call\.(id|function\.name|function\.arguments))/
const OPEN_LLMETRY =
  /^gen_ai\.completion\.\d{1,4}\.(?:(role|finish_reason)|(content)|(refusal)|(image)|tool_calls\.(\d{1,4})\.(id|name|arguments)|function_call\.(name|arguments))$/

/** OpenInference and OpenLLMetry spread an answer over numbered keys. */
function readNumbered(output: ModelOutput, attributes: OtlpAttributes): boolean {
  let isTold = false
  const calls = new Map<string, ToolCall>()
  for (const [key, value] of attributes) {
    const numbered = key.startsWith('llm.output_messages.')
      ? OPEN_INFERENCE
      : key.startsWith('gen_ai.completion.')
        ? OPEN_LLMETRY
        : null
    const found = numbered?.exec(key)
    if (!found) continue
    isTold = true
    const member = key.slice(key.lastIndexOf('.') + 1)
    if (member === 'content' || member === 'text') readContent(output, value)
    else if (member === 'refusal') output.refusal ??= typeof value === 'string' ? value : null
    else if (found[4] !== undefined) output.hasOther = true
    else if (key.includes('_call')) noteCall(calls, key.slice(0, callEnd(key)), [member, value])
  }
  for (const call of calls.values()) if (output.calls.length < CALLS_MAX) output.calls.push(call)
  return isTold
}

/** Where the part of a key ends that says which call it is about. */
function callEnd(key: string): number {
  const at = key.indexOf('.tool_call.')
  return at < 0 ? key.lastIndexOf('.') : at
}

/** Anthropic's answers are recorded as a list of blocks written as JSON. */
function readContent(output: ModelOutput, value: OtlpValue): void {
  const blocks = partsOf(jsonOf(value))
  if (blocks.length > 0 && blocks.every((block) => block.has('type'))) for (const block of blocks) readContentPart(output, block)
  else if (typeof value === 'string') addText(output, value)
}

function noteCall(calls: Map<string, ToolCall>, of: string, [member, value]: [string, OtlpValue]): void {
  const call = calls.get(of) ?? { id: null, name: null, arguments: null }
  calls.set(of, call)
  if (member === 'id' && typeof value === 'string') call.id = value
  else if (member === 'name' && typeof value === 'string') call.name = value
  else if (member === 'arguments') call.arguments = value
}

function readVercel(output: ModelOutput, attributes: OtlpAttributes): boolean {
  const text = attributes.get('ai.response.text')
  const made = attributes.get('ai.response.object')
  const calls = jsonOf(attributes.get('ai.response.toolCalls'))
  if (typeof text === 'string') addText(output, text)
  if (typeof made === 'string') addText(output, made)
  for (const call of partsOf(calls)) addCall(output, call)
  return text !== undefined || made !== undefined || Array.isArray(calls)
}

/** A raw answer: the words themselves, or a provider's answer as JSON. */
function readRaw(output: ModelOutput, value: OtlpValue | undefined): boolean {
  if (value === undefined || value === null) return false
  const messages = messagesIn(value)
  if (messages !== null) for (const message of messages) readMessage(output, message)
  else if (typeof value === 'string' && jsonOf(value) === undefined) addText(output, value)
  else output.hasOther = true
  return true
}

function addText(output: ModelOutput, text: string | null): void {
  if (text === null || text === '') return
  output.text = output.text === '' ? text : `${output.text}\n${text}`
}

function addCall(output: ModelOutput, part: Part): void {
  if (output.calls.length >= CALLS_MAX) return
  const inner = partOf(part.get('function')) ?? part
  output.calls.push({
    id: textIn(part, 'id', 'toolCallId', 'tool_call_id', 'call_id', 'toolUseId'),
    name: textIn(inner, 'name', 'toolName', 'tool_name'),
    arguments: inner.get('arguments') ?? inner.get('args') ?? inner.get('input') ?? null,
  })
}
