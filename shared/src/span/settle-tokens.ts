import type { Tokens } from './record.ts'
import type { ViewDraft } from './view-draft.ts'

/** What a span that is no model call shows; shared, so it must never change. */
export const NO_TOKENS: Tokens = Object.freeze({
  input: null,
  output: null,
  total: null,
  cache_read: null,
  cache_creation: null,
  reasoning: null,
})

/**
 * The buckets as one count: `input` with everything that was read, whether new or cached, `total` = input + output.
 *
 * Cache buckets are parts of `input` by OpenTelemetry's current names, OpenInference and the AI SDK from version 6; where
 * the names do not say, Anthropic's models count them on top (their API reports new tokens only) and all others inside.
 * Whatever the names say, buckets larger than `input`, or a total that only adds up with them, prove that they came on top.
 */
export function settleTokens(draft: ViewDraft): Tokens {
  const tokens = draft.tokens
  if (tokens === null) return NO_TOKENS
  const cached = (tokens.cache_read ?? 0) + (tokens.cache_creation ?? 0)
  if (cached > 0 && tokens.input !== null && isOnTop(draft, tokens, cached)) {
    tokens.input += cached
    draft.derived['tokens.input'] = joined(draft, ['tokens.input', 'tokens.cache_read', 'tokens.cache_creation'])
  }
  if (tokens.input !== null && tokens.output !== null) settleTotal(draft, tokens, tokens.input + tokens.output)
  return tokens
}

function isOnTop(draft: ViewDraft, tokens: Tokens, cached: number): boolean {
  if (cached > tokens.input!) return true
  if (tokens.total !== null && tokens.total === tokens.input! + cached + (tokens.output ?? 0)) return true
  return draft.cacheBuckets === 'by_provider' && speaksAnthropic(draft)
}

/** Anthropic's own API, or its models behind another's (Bedrock, Vertex), whose usage has the same shape. */
function speaksAnthropic(draft: ViewDraft): boolean {
  return draft.provider?.includes('anthropic') === true || draft.model?.toLowerCase().includes('claude') === true
}

/** A total that leaves out what the parts hold was computed before the cache was added; a larger one stands as sent. */
function settleTotal(draft: ViewDraft, tokens: Tokens, sum: number): void {
  if (tokens.total !== null && tokens.total >= sum) return
  tokens.total = sum
  draft.derived['tokens.total'] = joined(draft, ['tokens.input', 'tokens.output'])
}

function joined(draft: ViewDraft, fields: string[]): string {
  const keys = fields.flatMap((field) => draft.derived[field]?.split(' + ') ?? [])
  return [...new Set(keys)].join(' + ')
}
