import type { SpanView } from '../record.ts'
import { claimCost, claimFinishReasons, claimKind, claimName, claimSpanName, claimTokens, type ViewDraft } from '../view-draft.ts'

/** Claude Code's own spans, which are known by their names: its attributes are flat words that mean this only there. */
export const CLAUDE_CODE_KEYS = [
  'model',
  'tool_name',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_creation_tokens',
  'stop_reason',
  'cost_usd',
] as const

const PREFIX = 'claude_code.'

export function isClaudeCode(spanName: string): boolean {
  return spanName.startsWith(PREFIX)
}

const KINDS = new Map<string, [kind: SpanView['kind'], work: string | null]>([
  ['interaction', ['agent', 'invoke_agent']],
  ['llm_request', ['chat', 'chat']],
  ['tool', ['tool', 'execute_tool']],
  // What the tool itself did, without the wait for a person's permission: its failure is the tool's.
  ['tool.execution', ['tool', 'execute_tool']],
])

export function readClaudeCode(draft: ViewDraft): void {
  const meaning = KINDS.get(draft.span.name.slice(PREFIX.length))
  if (meaning === undefined) return
  claimKind(draft, ...meaning, 'span.name')
  if (draft.kind === 'agent') claimSpanName(draft, 'agent', 'claude_code')
  if (draft.kind === 'tool') claimName(draft, 'tool', 'tool_name')
  if (draft.kind === 'chat') claimName(draft, 'model', 'model')
}

/** Anthropic's own counts: what the cache gave comes on top of the input. */
export function readClaudeCodeUsage(draft: ViewDraft): void {
  claimTokens(draft, 'input', 'input_tokens')
  claimTokens(draft, 'output', 'output_tokens')
  const read = claimTokens(draft, 'cache_read', 'cache_read_tokens')
  const created = claimTokens(draft, 'cache_creation', 'cache_creation_tokens')
  if (read || created) draft.cacheBuckets = 'by_provider'
  claimFinishReasons(draft, 'stop_reason')
  claimCost(draft, 'cost_usd')
}
