import { textAt } from '../attribute-values.ts'
import type { SpanView } from '../record.ts'
import { claimFinishReasons, claimKind, claimName, claimSubject, claimTokens, type ViewDraft } from '../view-draft.ts'

/** OpenLLMetry (Traceloop): its own marks for steps and tools, `llm.*` and early `gen_ai.*` names for model calls. */
export const OPEN_LLMETRY_KEYS = [
  'traceloop.span.kind',
  'traceloop.entity.name',
  'traceloop.workflow.name',
  'llm.request.type',
  'llm.vendor',
  'llm.request.model',
  'llm.response.model',
  'llm.usage.prompt_tokens',
  'llm.usage.completion_tokens',
  'llm.usage.total_tokens',
  'llm.usage.cache_read_input_tokens',
  'llm.usage.cache_creation_input_tokens',
  'llm.usage.reasoning_tokens',
  'llm.response.finish_reason',
  'llm.response.stop_reason',
  'gen_ai.completion.0.finish_reason',
] as const

/** Marks that only OpenLLMetry sets, by which its early `gen_ai.*` names are known to be its own. */
const OWN_MARKS = ['llm.request.type', 'llm.usage.total_tokens', 'traceloop.workflow.name', 'traceloop.entity.name'] as const

const MEANING_OF_REQUEST = new Map<string, { kind: SpanView['kind']; work: string }>([
  ['chat', { kind: 'chat', work: 'chat' }],
  ['completion', { kind: 'chat', work: 'text_completion' }],
  ['embedding', { kind: 'embeddings', work: 'embeddings' }],
  ['rerank', { kind: 'retrieval', work: 'rerank' }],
])

export function readOpenLlmetry(draft: ViewDraft): void {
  readStep(draft)
  readRequestType(draft)
  claimName(draft, 'provider', 'llm.vendor')
  claimName(draft, 'model', 'llm.request.model')
  claimName(draft, 'model', 'llm.response.model')
}

/** A workflow or task names itself in `traceloop.entity.name`; so does the agent or the tool. */
function readStep(draft: ViewDraft): void {
  switch (textAt(draft.attributes, 'traceloop.span.kind', 32)?.toLowerCase()) {
    case 'tool':
      claimKind(draft, 'tool', 'execute_tool', 'traceloop.span.kind')
      claimName(draft, 'tool', 'traceloop.entity.name')
      break
    case 'agent':
      claimKind(draft, 'agent', 'invoke_agent', 'traceloop.span.kind')
      claimName(draft, 'agent', 'traceloop.entity.name')
      break
    case 'workflow':
      claimKind(draft, 'workflow', 'invoke_workflow', 'traceloop.span.kind')
      claimSubject(draft, 'traceloop.entity.name')
      claimSubject(draft, 'traceloop.workflow.name')
      break
    case 'task':
      claimKind(draft, 'workflow', null, 'traceloop.span.kind')
      break
  }
}

function readRequestType(draft: ViewDraft): void {
  const type = textAt(draft.attributes, 'llm.request.type', 32)?.toLowerCase()
  const meaning = type === undefined ? undefined : MEANING_OF_REQUEST.get(type)
  if (meaning !== undefined) claimKind(draft, meaning.kind, meaning.work, 'llm.request.type')
}

/**
 * Its Anthropic instrumentation adds the cache buckets to the prompt before it sends, so with one of its marks on the span
 * the underscored names of the cache are parts of the input, unlike the same names from anyone else.
 */
export function readOpenLlmetryUsage(draft: ViewDraft): void {
  claimTokens(draft, 'input', 'llm.usage.prompt_tokens')
  claimTokens(draft, 'output', 'llm.usage.completion_tokens')
  claimTokens(draft, 'total', 'llm.usage.total_tokens')
  claimTokens(draft, 'cache_read', 'llm.usage.cache_read_input_tokens')
  claimTokens(draft, 'cache_creation', 'llm.usage.cache_creation_input_tokens')
  claimTokens(draft, 'reasoning', 'llm.usage.reasoning_tokens')
  if (OWN_MARKS.some((key) => draft.attributes.has(key))) draft.cacheBuckets = 'subset'
  claimFinishReasons(draft, 'llm.response.finish_reason')
  claimFinishReasons(draft, 'llm.response.stop_reason')
  claimFinishReasons(draft, 'gen_ai.completion.0.finish_reason')
}
