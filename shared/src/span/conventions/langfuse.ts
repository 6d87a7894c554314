import { amountOf, countOf, textAt } from '../attribute-values.ts'
import { type Meanings, meaningIn } from '../kind-meaning.ts'
import { partIn } from '../steps/json-parts.ts'
import { claimKind, claimName, claimSpanName, type ViewDraft } from '../view-draft.ts'

/** Langfuse's SDKs: an observation's type says what it is, its usage and cost are JSON texts. */
export const LANGFUSE_KEYS = [
  'langfuse.observation.type',
  'langfuse.observation.model.name',
  'langfuse.observation.usage_details',
  'langfuse.observation.cost_details',
] as const

const MEANING_OF_TYPE: Meanings = new Map([
  ['generation', { kind: 'chat', work: 'chat' }],
  ['embedding', { kind: 'embeddings', work: 'embeddings' }],
  ['agent', { kind: 'agent', work: 'invoke_agent' }],
  ['tool', { kind: 'tool', work: 'execute_tool' }],
  ['chain', { kind: 'workflow', work: null }],
  ['retriever', { kind: 'retrieval', work: null }],
  ['guardrail', { kind: 'guardrail', work: null }],
  ['evaluator', { kind: 'guardrail', work: null }],
])

export function readLangfuse(draft: ViewDraft): void {
  const meaning = meaningIn(MEANING_OF_TYPE, textAt(draft.attributes, 'langfuse.observation.type', 32))
  if (meaning !== undefined) claimKind(draft, meaning.kind, meaning.work, 'langfuse.observation.type')
  claimName(draft, 'model', 'langfuse.observation.model.name')
  // An observation is named by the decorated function or by hand: the tool, the agent.
  if (draft.derived.kind !== 'langfuse.observation.type') return
  if (draft.kind === 'tool' || draft.kind === 'agent') claimSpanName(draft, draft.kind, draft.span.name)
}

/** Langfuse counts what a cache gave apart from the input, where the names of the parts say so. */
const BUCKETS = [
  ['input', ['input', 'input_tokens', 'prompt_tokens', 'promptTokens']],
  ['output', ['output', 'output_tokens', 'completion_tokens', 'completionTokens']],
  ['total', ['total', 'total_tokens', 'totalTokens']],
  ['cache_read', ['cache_read_input_tokens', 'input_cached_tokens']],
  ['cache_creation', ['cache_creation_input_tokens', 'input_cache_creation']],
  ['reasoning', ['output_reasoning_tokens', 'reasoning_tokens', 'output_reasoning']],
] as const

const USAGE = 'langfuse.observation.usage_details'
const COST = 'langfuse.observation.cost_details'

export function readLangfuseUsage(draft: ViewDraft): void {
  const usage = partIn(draft.attributes.get(USAGE))
  if (usage === null) return
  for (const [bucket, names] of BUCKETS) {
    const count = names.map((name) => countOf(usage.get(name))).find((one) => one !== null)
    if (count === undefined || count === null || (draft.tokens?.[bucket] ?? null) !== null) continue
    draft.tokens ??= { input: null, output: null, total: null, cache_read: null, cache_creation: null, reasoning: null }
    draft.tokens[bucket] = count
    draft.derived[`tokens.${bucket}`] = USAGE
    if (bucket === 'cache_read' || bucket === 'cache_creation') draft.cacheBuckets = 'by_provider'
  }
}

export function readLangfuseCost(draft: ViewDraft): void {
  if (draft.costUsd !== null) return
  const cost = partIn(draft.attributes.get(COST))
  if (cost === null) return
  const parts = [cost.get('input'), cost.get('output')].flatMap((part) => amountOf(part) ?? [])
  draft.costUsd = amountOf(cost.get('total')) ?? (parts.length === 0 ? null : parts.reduce((sum, part) => sum + part, 0))
  if (draft.costUsd !== null) draft.derived.cost_usd = COST
}
