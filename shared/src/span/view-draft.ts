import type { OtlpAttributes, OtlpSpan } from '../otlp/model.ts'
import { amountAt, boundText, countAt, idAt, textAt } from './attribute-values.ts'
import type { SpanView, Tokens } from './record.ts'

/** Views enter indexes and rollup keys, so every text in them is bounded. */
export const OPERATION_CHARS_MAX = 200
export const IDENTITY_CHARS_MAX = 256
const NAME_CHARS_MAX = 128
const FINISH_REASONS_MAX = 8
const FINISH_REASON_CHARS_MAX = 64

type NameField = 'agent' | 'tool' | 'model' | 'provider'
export type IdentityField = 'user' | 'session' | 'release' | 'environment'

/**
 * A view while the dialects fill it in, in their order of precedence: the first to know a field has said it,
 * and `derived` keeps the attribute it came from. Lives for one call of `viewSpan`.
 */
export interface ViewDraft {
  readonly attributes: OtlpAttributes
  readonly span: OtlpSpan
  kind: SpanView['kind'] | null
  operation: string | null
  /** The verb of a generative operation: `chat`, `execute_tool`, `invoke_agent` …; null outside of them. */
  work: string | null
  /** The name of a workflow, retriever or guardrail; agents and tools have fields of their own. */
  subject: string | null
  agent: string | null
  tool: string | null
  model: string | null
  provider: string | null
  user: string | null
  session: string | null
  release: string | null
  environment: string | null
  tokens: Tokens | null
  /** How the cache buckets relate to `tokens.input`, by the dialect that gave them. */
  cacheBuckets: 'subset' | 'by_provider'
  costUsd: number | null
  finishReasons: string[]
  readonly derived: Record<string, string>
}

/** Takes a field from the first of the keys that holds text, unless an earlier dialect has said it. */
export function claimName(draft: ViewDraft, field: NameField, key: string): void {
  if (draft[field] !== null) return
  const text = textAt(draft.attributes, key, NAME_CHARS_MAX)
  if (text === null) return
  draft[field] = text
  draft.derived[field] = key
}

/** Takes a field from the span's own name, where its dialect writes it there. */
export function claimSpanName(draft: ViewDraft, field: NameField, name: string): void {
  const text = boundText(name, NAME_CHARS_MAX).trim()
  if (draft[field] !== null || text === '') return
  draft[field] = text
  draft.derived[field] = 'span.name'
}

/** As `claimName`, for ids, which are often sent as integers. */
export function claimIdentity(draft: ViewDraft, field: IdentityField, key: string): void {
  if (draft[field] !== null) return
  const text = idAt(draft.attributes, key, IDENTITY_CHARS_MAX)
  if (text === null) return
  draft[field] = text
  draft.derived[field] = key
}

/** Says what kind of work this is, unless an earlier dialect has. */
export function claimKind(draft: ViewDraft, kind: SpanView['kind'], work: string | null, from: string): void {
  if (draft.kind !== null) return
  draft.kind = kind
  draft.work = work
  draft.derived.kind = from
}

export function claimSubject(draft: ViewDraft, key: string): void {
  if (draft.subject !== null) return
  draft.subject = textAt(draft.attributes, key, NAME_CHARS_MAX)
  if (draft.subject !== null) draft.derived.operation = key
}

/** True where this call said the bucket, so that the caller can say how it counts. */
export function claimTokens(draft: ViewDraft, bucket: keyof Tokens, key: string): boolean {
  if (draft.tokens !== null && draft.tokens[bucket] !== null) return false
  const count = countAt(draft.attributes, key)
  if (count === null) return false
  draft.tokens ??= { input: null, output: null, total: null, cache_read: null, cache_creation: null, reasoning: null }
  draft.tokens[bucket] = count
  draft.derived[`tokens.${bucket}`] = key
  return true
}

export function claimCost(draft: ViewDraft, key: string): void {
  if (draft.costUsd !== null) return
  draft.costUsd = amountAt(draft.attributes, key)
  if (draft.costUsd !== null) draft.derived.cost_usd = key
}

/** A list, one text, or a list written as JSON text; other values in the list are skipped. */
export function claimFinishReasons(draft: ViewDraft, key: string): void {
  if (draft.finishReasons.length > 0) return
  const value = draft.attributes.get(key)
  const list = Array.isArray(value) ? value : typeof value === 'string' ? reasonsInText(value) : []
  const reasons: string[] = []
  for (const item of list) {
    if (reasons.length === FINISH_REASONS_MAX) break
    if (typeof item !== 'string') continue
    const reason = plainReason(boundText(item, FINISH_REASON_CHARS_MAX))
    if (reason !== '') reasons.push(reason)
  }
  if (reasons.length === 0) return
  draft.finishReasons = reasons
  draft.derived.finish_reasons = key
}

/** An enumeration's value as it is printed: `FinishReason.MAX_TOKENS`, `FINISH_REASON_MAX_TOKENS`. */
export function plainReason(reason: string): string {
  return reason.trim().replace(/^(?:[A-Za-z_]{1,40}\.|FINISH_REASON_)/, '')
}

/** Some join the reasons of several choices by commas. */
function reasonsInText(text: string): string[] {
  if (!text.startsWith('[')) return text.length > FINISH_REASON_CHARS_MAX ? [text] : text.split(',')
  return (text.slice(0, FINISH_REASONS_MAX * FINISH_REASON_CHARS_MAX).match(/[A-Za-z][\w.-]*/g) ?? []) as string[]
}
