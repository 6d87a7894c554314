import type { OtlpSpan, OtlpValue } from '../../otlp/model.ts'
import { jsonOf, type Part, partOf, partsOf, textIn } from './json-parts.ts'
import { TOOLS_OFFERED_KEYS } from './step-keys.ts'

/** What of a tool's schema decides whether arguments fit it; null where the telemetry does not say. */
export interface ToolSchema {
  name: string
  /** Names of the arguments that it knows. */
  properties: ReadonlySet<string> | null
  required: readonly string[]
  /** It takes others, too. */
  isOpen: boolean
}

const TOOLS_MAX = 256

/** The tools that a model call could ask for, by name. */
export function readToolsOffered({ attributes }: OtlpSpan): Map<string, ToolSchema> {
  const tools = new Map<string, ToolSchema>()
  for (const key of TOOLS_OFFERED_KEYS) {
    const value = attributes.get(key)
    const list = Array.isArray(value) ? value.map((item) => jsonOf(item)) : jsonOf(value)
    for (const tool of partsOf(list)) add(tools, tool)
  }
  for (const [key, value] of attributes) {
    if (tools.size >= TOOLS_MAX) break
    if (key.startsWith('llm.tools.') && key.endsWith('.json_schema')) add(tools, partOf(jsonOf(value)))
    else if (key.startsWith('llm.request.functions.') && key.endsWith('.name')) addSpread(tools, attributes, key)
  }
  return tools
}

/** OpenLLMetry: name and parameters of a function lie under two keys. */
function addSpread(tools: Map<string, ToolSchema>, attributes: OtlpSpan['attributes'], key: string): void {
  const name = attributes.get(key)
  const parameters = jsonOf(attributes.get(key.replace(/name$/, 'parameters')))
  add(
    tools,
    new Map<string, unknown>([
      ['name', name],
      ['parameters', parameters],
    ]),
  )
}

function add(tools: Map<string, ToolSchema>, tool: Part | null): void {
  if (tool === null || tools.size >= TOOLS_MAX) return
  const inner = partOf(tool.get('function')) ?? tool
  const name = textIn(inner, 'name')
  if (name === null) return
  const schema = partOf(jsonOf((inner.get('parameters') ?? inner.get('input_schema') ?? inner.get('inputSchema')) as OtlpValue))
  const properties = partOf(schema?.get('properties'))
  const required = schema?.get('required')
  tools.set(name, {
    name,
    properties: properties === null ? null : new Set(properties.keys()),
    required: Array.isArray(required) ? required.filter((item) => typeof item === 'string') : [],
    isOpen: isOpen(schema),
  })
}

function isOpen(schema: Part | null): boolean {
  const additional = schema?.get('additionalProperties')
  const closed = additional === undefined || additional === false
  return !closed || ['patternProperties', '$ref', 'anyOf', 'oneOf', 'allOf'].some((name) => schema?.has(name))
}
