import { textAt } from '../attribute-values.ts'
import type { SpanView } from '../record.ts'
import {
  claimCost,
  claimFinishReasons,
  claimKind,
  claimName,
  claimSpanName,
  claimSubject,
  claimTokens,
  type ViewDraft,
} from '../view-draft.ts'

/**
 * OpenTelemetry's generative AI convention: the current names first, then the deprecated ones and those of
 * instrumentations that grew beside it. All of it is "Development"; what a name means here is what it meant when it was current.
 */
export const GEN_AI_KEYS = [
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'gen_ai.system',
  'gen_ai.request.model',
  'gen_ai.response.model',
  'gen_ai.agent.name',
  'gen_ai.agent.id',
  'gen_ai.tool.name',
  'gen_ai.workflow.name',
  'gen_ai.data_source.id',
  'gen_ai.response.finish_reasons',
  'gen_ai.response.finish_reason',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.prompt_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.usage.completion_tokens',
  'gen_ai.usage.total_tokens',
  'gen_ai.usage.cache_read.input_tokens',
  'gen_ai.usage.cache_creation.input_tokens',
  'gen_ai.usage.reasoning.output_tokens',
  'gen_ai.usage.cache_read_input_tokens',
  'gen_ai.usage.cache_creation_input_tokens',
  'gen_ai.usage.reasoning_tokens',
  'gen_ai.usage.cost',
  'gen_ai.usage.cost_usd',
  'gen_ai.cost.total_cost',
  'operation.cost',
] as const

type Kind = SpanView['kind']

const KIND_OF_OPERATION = new Map<string, Kind>([
  ['chat', 'chat'],
  ['text_completion', 'chat'],
  ['generate_content', 'chat'],
  ['completion', 'chat'],
  ['responses', 'chat'],
  ['embeddings', 'embeddings'],
  ['embedding', 'embeddings'],
  ['execute_tool', 'tool'],
  ['invoke_agent', 'agent'],
  ['create_agent', 'agent'],
  ['invoke_workflow', 'workflow'],
  ['plan', 'workflow'],
  ['retrieval', 'retrieval'],
  ['search_memory', 'retrieval'],
])

/** What the span names by itself: kind by the operation, agent, tool, model, provider. */
export function readGenAi(draft: ViewDraft): void {
  const work = textAt(draft.attributes, 'gen_ai.operation.name', 64)
  const kind = work === null ? undefined : KIND_OF_OPERATION.get(work.toLowerCase())
  if (kind !== undefined) claimKind(draft, kind, work!.toLowerCase(), 'gen_ai.operation.name')
  claimName(draft, 'provider', 'gen_ai.provider.name')
  claimName(draft, 'provider', 'gen_ai.system')
  claimName(draft, 'model', 'gen_ai.request.model')
  claimName(draft, 'model', 'gen_ai.response.model')
  claimName(draft, 'agent', 'gen_ai.agent.name')
  claimName(draft, 'agent', 'gen_ai.agent.id')
  claimName(draft, 'tool', 'gen_ai.tool.name')
  if (kind === 'tool') claimNameAfter(draft, 'tool', 'execute_tool ')
  if (kind === 'agent') claimNameAfter(draft, 'agent', 'invoke_agent ')
  if (kind === 'workflow') claimSubject(draft, 'gen_ai.workflow.name')
  if (kind === 'retrieval') claimSubject(draft, 'gen_ai.data_source.id')
}

/** The convention names the span "execute_tool <tool>", "invoke_agent <agent>". */
function claimNameAfter(draft: ViewDraft, field: 'tool' | 'agent', verb: string): void {
  if (draft.span.name.startsWith(verb)) claimSpanName(draft, field, draft.span.name.slice(verb.length))
}

/**
 * The last word on the kind, after every dialect has spoken: senders that predate `gen_ai.operation.name` are known by
 * what they describe, and an operation outside the list that names a model is a model call under its own name. A tool's
 * name alone makes no tool of a span that speaks a protocol: agents pass it on to the calls below them as baggage.
 */
export function inferGenAiKind(draft: ViewDraft, speaksProtocol: boolean): void {
  if (draft.kind !== null) return
  const work = textAt(draft.attributes, 'gen_ai.operation.name', 64)
  if (draft.model !== null) {
    claimKind(draft, 'chat', work ?? 'chat', work === null ? draft.derived.model! : 'gen_ai.operation.name')
  } else if (draft.tool !== null && !speaksProtocol) {
    claimKind(draft, 'tool', 'execute_tool', draft.derived.tool!)
  } else if (work !== null) {
    claimKind(draft, 'other', work, 'gen_ai.operation.name')
  }
}

/**
 * Usage of a model call. The dotted cache names are current, and their tokens are part of `input_tokens`. The
 * underscored ones are the words of Anthropic's API, where they come on top: there the provider decides.
 */
export function readGenAiUsage(draft: ViewDraft): void {
  claimTokens(draft, 'input', 'gen_ai.usage.input_tokens')
  claimTokens(draft, 'input', 'gen_ai.usage.prompt_tokens')
  claimTokens(draft, 'output', 'gen_ai.usage.output_tokens')
  claimTokens(draft, 'output', 'gen_ai.usage.completion_tokens')
  claimTokens(draft, 'total', 'gen_ai.usage.total_tokens')
  claimTokens(draft, 'cache_read', 'gen_ai.usage.cache_read.input_tokens')
  claimTokens(draft, 'cache_creation', 'gen_ai.usage.cache_creation.input_tokens')
  const read = claimTokens(draft, 'cache_read', 'gen_ai.usage.cache_read_input_tokens')
  const created = claimTokens(draft, 'cache_creation', 'gen_ai.usage.cache_creation_input_tokens')
  if (read || created) draft.cacheBuckets = 'by_provider'
  claimTokens(draft, 'reasoning', 'gen_ai.usage.reasoning.output_tokens')
  claimTokens(draft, 'reasoning', 'gen_ai.usage.reasoning_tokens')
  claimFinishReasons(draft, 'gen_ai.response.finish_reasons')
  claimFinishReasons(draft, 'gen_ai.response.finish_reason')
}

export function readGenAiCost(draft: ViewDraft): void {
  claimCost(draft, 'gen_ai.usage.cost')
  claimCost(draft, 'gen_ai.usage.cost_usd')
  claimCost(draft, 'gen_ai.cost.total_cost')
  claimCost(draft, 'operation.cost')
}
