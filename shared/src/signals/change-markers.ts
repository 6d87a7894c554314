import { createHash } from 'node:crypto'
import type { OtlpSpan } from '../otlp/model.ts'
import { canonicalJson, jsonOf, type Part, partOf, partsOf, textIn } from '../span/steps/json-parts.ts'
import { INPUT_MESSAGES_KEYS, TOOLS_OFFERED_KEYS } from '../span/steps/step-keys.ts'
import type { TraceSpan } from './model.ts'

export type MarkerKind = 'model' | 'prompt' | 'tool_schema'

/** What a part of an agent was made of in a run: when it is another than before, something has shipped. */
export interface ChangeMarker {
  kind: MarkerKind
  service: string
  /** What it belongs to: a model call's operation, a named prompt, a tool. */
  subject: string
  /** A model's name, a version that somebody gave, or the head of a SHA-256. */
  value: string
  startUnixNano: bigint
}

/** Names, versions and hashes that instrumentations give to prompts. */
const PROMPT_NAME_KEYS = [
  'gen_ai.prompt.name',
  'langfuse.observation.prompt.name',
  'traceloop.prompt.key',
  'prompt.id',
  'prompt.name',
] as const
const PROMPT_VERSION_KEYS = [
  'gen_ai.prompt.hash',
  'gen_ai.prompt.version',
  'langfuse.observation.prompt.version',
  'traceloop.prompt.version_hash',
  'traceloop.prompt.version',
  'llm.prompt_template.version',
  'prompt.hash',
  'prompt.version',
] as const
/** The instructions themselves. */
const PROMPT_TEXT_KEYS = ['gen_ai.system_instructions', 'llm.prompt_template.template', 'traceloop.prompt.template'] as const
const FIRST_MESSAGES = ['llm.input_messages.0.message', 'gen_ai.prompt.0'] as const
const TOOL_SCHEMA_HASH_KEYS = ['gen_ai.tool.schema.hash', 'tool.schema_hash', 'tool.schema.hash'] as const

/** What markers are read from, beyond what judging reads. */
export const MARKER_KEYS: readonly string[] = [
  ...PROMPT_NAME_KEYS,
  ...PROMPT_VERSION_KEYS,
  ...PROMPT_TEXT_KEYS,
  ...FIRST_MESSAGES.flatMap((message) => [`${message}.role`, `${message}.content`]),
  ...TOOL_SCHEMA_HASH_KEYS,
]

const NAME_MAX_CHARS = 200
const HASH_CHARS = 12
/** Of one trace; an agent has a few. */
const MARKERS_MAX = 200
const TOOLS_MAX = 100
/** What varies in a prompt from day to day without anybody changing it. */
const VARYING =
  /\d+|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b/gi

/** Hashes of texts that were seen before, since the same instructions and tools come with every call. */
export interface MarkerMemory {
  tools: Map<string, readonly ToolMarker[]>
}

interface ToolMarker {
  name: string
  value: string
}

const REMEMBERED_MAX = 32

export function createMarkerMemory(): MarkerMemory {
  return { tools: new Map() }
}

/** The models, prompts and tool schemas of a trace, each once, at its first span. */
export function findMarkers(records: readonly TraceSpan[], memory: MarkerMemory): ChangeMarker[] {
  const found = new Map<string, ChangeMarker>()
  const add = (record: TraceSpan, kind: MarkerKind, subject: string, value: string) => {
    const key = JSON.stringify([kind, record.view.service, subject, value])
    const { startUnixNano } = record.span
    const known = found.get(key)
    if (known ? known.startUnixNano <= startUnixNano : found.size >= MARKERS_MAX) return
    const names = { service: record.view.service, subject: clip(subject), value: clip(value) }
    found.set(key, { kind, ...names, startUnixNano })
  }
  const prompted = new Set<string>()
  for (const record of records) {
    const { span, view } = record
    if (span.log) continue
    const isCall = view.kind === 'chat' || view.kind === 'embeddings'
    if (!isCall && view.kind !== 'agent' && view.kind !== 'tool') continue
    if (isCall && view.model !== null) add(record, 'model', view.operation, view.model)
    if (view.kind !== 'tool') {
      // The instructions are long: one call of each operation says what they are.
      const place = JSON.stringify([view.service, view.operation])
      const prompt = promptOf(span, prompted.has(place))
      prompted.add(place)
      if (prompt) add(record, 'prompt', prompt.name ?? view.operation, prompt.value)
    }
    for (const tool of toolsOf(span, view.tool, memory)) add(record, 'tool_schema', tool.name, tool.value)
  }
  return [...found.values()]
}

function promptOf(span: OtlpSpan, isTextKnown: boolean): { name: string | null; value: string } | null {
  const name = firstText(span, PROMPT_NAME_KEYS)
  const version = firstText(span, PROMPT_VERSION_KEYS)
  if (version !== null) return { name, value: version }
  if (isTextKnown) return null
  const text = firstText(span, PROMPT_TEXT_KEYS) ?? systemMessageOf(span)
  return text === null ? null : { name, value: hashOf(text.replace(VARYING, '#')) }
}

function systemMessageOf(span: OtlpSpan): string | null {
  for (const message of FIRST_MESSAGES) {
    if (span.attributes.get(`${message}.role`) !== 'system') continue
    const content = span.attributes.get(`${message}.content`)
    if (typeof content === 'string') return content
  }
  for (const key of INPUT_MESSAGES_KEYS) {
    const value = jsonOf(span.attributes.get(key))
    const list = partsOf(Array.isArray(value) ? value : partOf(value)?.get('messages'))
    const system = list.find((message) => textIn(message, 'role') === 'system')
    if (system) return canonicalJson(system.get('content') ?? system.get('parts'))
  }
  return null
}

function toolsOf(span: OtlpSpan, tool: string | null, memory: MarkerMemory): readonly ToolMarker[] {
  const given = tool === null ? null : firstText(span, TOOL_SCHEMA_HASH_KEYS)
  if (given !== null) return [{ name: tool!, value: given }]
  for (const key of TOOLS_OFFERED_KEYS) {
    const value = span.attributes.get(key)
    if (value === undefined) continue
    const text = typeof value === 'string' ? value : canonicalJson(value)
    const known = memory.tools.get(text)
    if (known) return known
    const tools = hashTools(Array.isArray(value) ? value.map((item) => jsonOf(item)) : jsonOf(value))
    if (memory.tools.size >= REMEMBERED_MAX) memory.tools.delete(memory.tools.keys().next().value!)
    memory.tools.set(text, tools)
    return tools
  }
  return spreadTools(span)
}

/** OpenInference: each tool's schema lies under a key of its own. */
function spreadTools({ attributes }: OtlpSpan): ToolMarker[] {
  const schemas: unknown[] = []
  for (const [key, value] of attributes)
    if (key.startsWith('llm.tools.') && key.endsWith('.json_schema') && schemas.length < TOOLS_MAX) schemas.push(jsonOf(value))
  return hashTools(schemas)
}

function hashTools(list: unknown): ToolMarker[] {
  return partsOf(list)
    .slice(0, TOOLS_MAX)
    .flatMap((tool: Part) => {
      const inner = partOf(tool.get('function')) ?? tool
      const name = textIn(inner, 'name')
      return name === null ? [] : [{ name, value: hashOf(canonicalJson(inner)) }]
    })
}

function firstText({ attributes }: OtlpSpan, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = attributes.get(key)
    if (typeof value === 'string' && value.trim() !== '') return value
    if (typeof value === 'bigint' || typeof value === 'number') return String(value)
    if (Array.isArray(value) && value.length > 0) return canonicalJson(value)
  }
  return null
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARS)
}

function clip(text: string): string {
  return text.length <= NAME_MAX_CHARS ? text : `${text.slice(0, NAME_MAX_CHARS - HASH_CHARS - 1)} ${hashOf(text)}`
}
