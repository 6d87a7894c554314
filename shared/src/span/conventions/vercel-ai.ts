import { textAt } from '../attribute-values.ts'
import type { SpanView } from '../record.ts'
import { claimFinishReasons, claimKind, claimName, claimTokens, type ViewDraft } from '../view-draft.ts'

/** Vercel AI SDK, versions 3 to 6: `ai.*`, with `gen_ai.*` beside it on the spans of the provider's call. */
export const VERCEL_AI_KEYS = [
  'ai.operationId',
  'operation.name',
  'resource.name',
  'ai.telemetry.functionId',
  'ai.model.id',
  'ai.model.provider',
  'ai.response.model',
  'ai.toolCall.name',
  'ai.usage.inputTokens',
  'ai.usage.promptTokens',
  'ai.usage.outputTokens',
  'ai.usage.completionTokens',
  'ai.usage.totalTokens',
  'ai.usage.tokens',
  'ai.usage.cachedInputTokens',
  'ai.usage.reasoningTokens',
  'ai.usage.inputTokenDetails.noCacheTokens',
  'ai.usage.inputTokenDetails.cacheReadTokens',
  'ai.usage.inputTokenDetails.cacheWriteTokens',
  'ai.usage.outputTokenDetails.reasoningTokens',
  'ai.response.finishReason',
  'ai.finishReason',
] as const

const INPUT_DETAILS = [
  'ai.usage.inputTokenDetails.noCacheTokens',
  'ai.usage.inputTokenDetails.cacheReadTokens',
  'ai.usage.inputTokenDetails.cacheWriteTokens',
] as const

/**
 * `ai.generateText` is the whole run with its tool calls, and repeats the usage of the `.doGenerate` inside it: so it is an
 * agent's run, whose usage is not read, and only the provider's call is a model call. The same holds for the other pairs.
 */
export function readVercelAi(draft: ViewDraft): void {
  const key = draft.attributes.has('ai.operationId') ? 'ai.operationId' : 'operation.name'
  readOperation(draft, key)
  claimName(draft, 'model', 'ai.model.id')
  claimName(draft, 'model', 'ai.response.model')
  claimName(draft, 'provider', 'ai.model.provider')
  claimName(draft, 'tool', 'ai.toolCall.name')
  if (draft.kind !== 'agent' || draft.derived.kind !== key) return
  claimName(draft, 'agent', 'ai.telemetry.functionId')
  claimName(draft, 'agent', 'resource.name')
}

function readOperation(draft: ViewDraft, key: string): void {
  // `operation.name` appends the caller's function id: "ai.generateText support-agent".
  const id = textAt(draft.attributes, key, 128)?.split(' ', 1)[0]
  if (!id?.startsWith('ai.')) return
  const meaning = meaningOf(id)
  claimKind(draft, meaning.kind, meaning.work, key)
}

interface Meaning {
  kind: SpanView['kind']
  work: string | null
}

function meaningOf(id: string): Meaning {
  if (id === 'ai.toolCall') return { kind: 'tool', work: 'execute_tool' }
  if (id.endsWith('.doEmbed')) return { kind: 'embeddings', work: 'embeddings' }
  if (id.endsWith('.doRerank')) return { kind: 'retrieval', work: 'rerank' }
  if (id.endsWith('.doGenerate') || id.endsWith('.doStream')) return { kind: 'chat', work: 'chat' }
  if (id === 'ai.generateText' || id === 'ai.streamText') return { kind: 'agent', work: 'invoke_agent' }
  return { kind: 'workflow', work: null }
}

/**
 * `cachedInputTokens` alone is version 5, which passed the provider's own meaning on: on top for Anthropic, inside for the
 * others. With `inputTokenDetails` beside it, it is version 6, where the input holds all.
 */
export function readVercelAiUsage(draft: ViewDraft): void {
  claimTokens(draft, 'input', 'ai.usage.inputTokens')
  claimTokens(draft, 'input', 'ai.usage.promptTokens')
  if (draft.kind === 'embeddings') claimTokens(draft, 'input', 'ai.usage.tokens')
  claimTokens(draft, 'output', 'ai.usage.outputTokens')
  claimTokens(draft, 'output', 'ai.usage.completionTokens')
  claimTokens(draft, 'total', 'ai.usage.totalTokens')
  claimTokens(draft, 'cache_read', 'ai.usage.inputTokenDetails.cacheReadTokens')
  claimTokens(draft, 'cache_creation', 'ai.usage.inputTokenDetails.cacheWriteTokens')
  const cached = claimTokens(draft, 'cache_read', 'ai.usage.cachedInputTokens')
  if (cached && !INPUT_DETAILS.some((key) => draft.attributes.has(key))) draft.cacheBuckets = 'by_provider'
  claimTokens(draft, 'reasoning', 'ai.usage.outputTokenDetails.reasoningTokens')
  claimTokens(draft, 'reasoning', 'ai.usage.reasoningTokens')
  claimFinishReasons(draft, 'ai.response.finishReason')
  claimFinishReasons(draft, 'ai.finishReason')
}
