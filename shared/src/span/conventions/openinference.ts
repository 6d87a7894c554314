import { boundText, textAt } from '../attribute-values.ts'
import { templateName } from '../name-template.ts'
import type { SpanView } from '../record.ts'
import { claimCost, claimFinishReasons, claimKind, claimName, claimSpanName, claimTokens, type ViewDraft } from '../view-draft.ts'

/** OpenInference (Arize, Phoenix): the kind is said outright, everything else hangs on it. */
export const OPEN_INFERENCE_KEYS = [
  'openinference.span.kind',
  'llm.model_name',
  'llm.request.model_name',
  'llm.response.model_name',
  'embedding.model_name',
  'reranker.model_name',
  'llm.invocation_parameters',
  'llm.provider',
  'llm.system',
  'agent.name',
  'tool.name',
  'llm.token_count.prompt',
  'llm.token_count.completion',
  'llm.token_count.total',
  'llm.token_count.prompt_details.cache_read',
  'llm.token_count.prompt_details.cache_write',
  'llm.token_count.completion_details.reasoning',
  'llm.finish_reason',
  'llm.cost.total',
] as const

/** Tools are among the parameters: those of an agent with many are longer, and its failing calls name no model. */
const PARAMETERS_CHARS_MAX = 64 * 1024
const MODEL_CHARS_MAX = 128

interface Meaning {
  kind: SpanView['kind']
  /** null: the span's own name says more than a verb would. */
  work: string | null
}

const MEANING_OF_KIND = new Map<string, Meaning>([
  ['LLM', { kind: 'chat', work: 'chat' }],
  ['EMBEDDING', { kind: 'embeddings', work: 'embeddings' }],
  ['TOOL', { kind: 'tool', work: 'execute_tool' }],
  ['AGENT', { kind: 'agent', work: 'invoke_agent' }],
  ['CHAIN', { kind: 'workflow', work: null }],
  ['RETRIEVER', { kind: 'retrieval', work: null }],
  ['RERANKER', { kind: 'retrieval', work: null }],
  ['GUARDRAIL', { kind: 'guardrail', work: null }],
  ['EVALUATOR', { kind: 'guardrail', work: null }],
  ['PROMPT', { kind: 'other', work: null }],
])

/** The method that frameworks append to the name of an agent's class: `CodeAgent.run`. */
const AGENT_METHOD = /\.(?:run|arun|invoke|ainvoke|step|execute|kickoff|stream|astream|__call__)$/

export function readOpenInference(draft: ViewDraft): void {
  const said = textAt(draft.attributes, 'openinference.span.kind', 32)
  const meaning = said === null ? undefined : MEANING_OF_KIND.get(said.toUpperCase())
  if (meaning !== undefined) claimKind(draft, meaning.kind, meaning.work, 'openinference.span.kind')
  claimName(draft, 'provider', 'llm.provider')
  claimName(draft, 'provider', 'llm.system')
  claimName(draft, 'model', 'llm.request.model_name')
  claimName(draft, 'model', 'llm.model_name')
  claimName(draft, 'model', 'llm.response.model_name')
  claimName(draft, 'model', 'embedding.model_name')
  claimName(draft, 'model', 'reranker.model_name')
  claimInvokedModel(draft)
  claimName(draft, 'agent', 'agent.name')
  if (meaning?.kind === 'tool') {
    claimName(draft, 'tool', 'tool.name')
    claimSpanName(draft, 'tool', templateName(draft.span.name))
  }
  if (meaning?.kind === 'agent') claimSpanName(draft, 'agent', templateName(draft.span.name).replace(AGENT_METHOD, ''))
}

/** A call that failed has no answer to name its model; its instrumentations leave what was asked for in the parameters only. */
function claimInvokedModel(draft: ViewDraft): void {
  if (draft.model !== null) return
  const parameters = textAt(draft.attributes, 'llm.invocation_parameters', PARAMETERS_CHARS_MAX)
  const model = parameters === null ? null : modelIn(parameters)
  if (model === null) return
  draft.model = boundText(model, MODEL_CHARS_MAX)
  draft.derived.model = 'llm.invocation_parameters'
}

/** The model that a JSON object names at its top; null where there is none, or the text was cut. */
function modelIn(parameters: string): string | null {
  try {
    const { model } = Object(JSON.parse(parameters)) as { model?: unknown }
    return typeof model === 'string' && model.trim() !== '' ? model.trim() : null
  } catch {
    return null
  }
}

/** The details of a prompt are parts of it: OpenInference's instrumentations add Anthropic's buckets up before they send. */
export function readOpenInferenceUsage(draft: ViewDraft): void {
  claimTokens(draft, 'input', 'llm.token_count.prompt')
  claimTokens(draft, 'output', 'llm.token_count.completion')
  claimTokens(draft, 'total', 'llm.token_count.total')
  claimTokens(draft, 'cache_read', 'llm.token_count.prompt_details.cache_read')
  claimTokens(draft, 'cache_creation', 'llm.token_count.prompt_details.cache_write')
  claimTokens(draft, 'reasoning', 'llm.token_count.completion_details.reasoning')
  claimFinishReasons(draft, 'llm.finish_reason')
}

export function readOpenInferenceCost(draft: ViewDraft): void {
  claimCost(draft, 'llm.cost.total')
}
