import type { OtlpAttributes, OtlpSpan, SpanInContext } from '../otlp/model.ts'
import { isClaudeCode, readClaudeCode, readClaudeCodeUsage } from './conventions/claude-code.ts'
import { readDatabase } from './conventions/database.ts'
import { inferGenAiKind, readGenAi, readGenAiCost, readGenAiUsage } from './conventions/gen-ai.ts'
import { isHaystack, readHaystack } from './conventions/haystack.ts'
import { readHttp } from './conventions/http.ts'
import { isIdentityKey, readIdentity, readLastResortSession } from './conventions/identity.ts'
import { readLangfuse, readLangfuseCost, readLangfuseUsage } from './conventions/langfuse.ts'
import { readLangSmith } from './conventions/langsmith.ts'
import { readLogfire } from './conventions/logfire.ts'
import { readMcp } from './conventions/mcp.ts'
import { readMessaging } from './conventions/messaging.ts'
import { readOpenInference, readOpenInferenceCost, readOpenInferenceUsage } from './conventions/openinference.ts'
import { readOpenLlmetry, readOpenLlmetryUsage } from './conventions/openllmetry.ts'
import { canonicalProvider } from './conventions/provider.ts'
import { readRpc } from './conventions/rpc.ts'
import { readVercelAi, readVercelAiUsage } from './conventions/vercel-ai.ts'
import { nameOperation } from './name-operation.ts'
import type { SpanView } from './record.ts'
import { settleTokens } from './settle-tokens.ts'
import type { ViewDraft } from './view-draft.ts'
import { type ResourceView, viewResource } from './view-resource.ts'

/** Families of attributes, as bits: a dialect is asked only where its family is present. */
const HTTP = 1
const DATABASE = 2
const RPC = 4
const MESSAGING = 8
const IDENTITY = 16
const GEN_AI = 32
const OPEN_INFERENCE = 64
const OPEN_LLMETRY = 128
const VERCEL_AI = 256
const MCP = 512
const LANGFUSE = 1024
const LANGSMITH = 2048
const HAYSTACK = 4096
const CLAUDE_CODE = 8192
const LOGFIRE = 16384
const PROTOCOL = HTTP | DATABASE | RPC | MESSAGING
const GENERATIVE =
  GEN_AI | OPEN_INFERENCE | OPEN_LLMETRY | VERCEL_AI | MCP | LANGFUSE | LANGSMITH | HAYSTACK | CLAUDE_CODE | LOGFIRE

/**
 * One view of a span, whatever dialect it speaks. Where several describe it, each field is read once, in this order:
 * OpenTelemetry `gen_ai.*` (current names, then deprecated), OpenInference, OpenLLMetry, Vercel AI SDK, MCP, Langfuse, Haystack, Logfire
 * (Claude Code and LangSmith before them, whose own words are narrower than the `gen_ai.*` names beside them); the kind is the
 * most specific: generative work, then messaging, database, RPC, HTTP. What the span says of session, user and agent goes
 * before its resource; release and environment are the resource's, else the span's. Never throws, whatever the values are.
 *
 * Usage counts at the leaf: tokens are read only from model calls (`chat`, `embeddings`), because agents, workflows and
 * tools repeat what their model calls have said; their cost and finish reasons repeat likewise.
 */
export function viewSpan(ctx: SpanInContext, shared: ResourceView = viewResource(ctx.resource)): SpanView {
  const draft = createDraft(ctx.span, shared)
  const families = familiesOf(ctx.span.attributes) | familyOfName(ctx.span.name)
  if (families & GENERATIVE) readGenerative(draft, families)
  if (draft.kind === null && families & MESSAGING) readMessaging(draft)
  if (draft.kind === null && families & DATABASE) readDatabase(draft)
  if (draft.kind === null && families & RPC) readRpc(draft)
  if (draft.kind === null && families & HTTP) readHttp(draft)
  if (families & IDENTITY) readIdentity(draft)
  inheritFromResource(draft, shared)
  // A resource that names an agent also sends HTTP and database spans, which are not the agent's steps by themselves.
  if (families & GENERATIVE) draft.agent ??= inherited(draft.derived, shared, 'agent')
  if (families & MCP) readLastResortSession(draft)
  return finish(draft, shared.service)
}

function readGenerative(draft: ViewDraft, families: number): void {
  if (families & CLAUDE_CODE) readClaudeCode(draft)
  if (families & LANGSMITH) readLangSmith(draft)
  if (families & GEN_AI) readGenAi(draft)
  if (families & OPEN_INFERENCE) readOpenInference(draft)
  if (families & OPEN_LLMETRY) readOpenLlmetry(draft)
  if (families & VERCEL_AI) readVercelAi(draft)
  if (families & MCP) readMcp(draft)
  if (families & LANGFUSE) readLangfuse(draft)
  if (families & HAYSTACK) readHaystack(draft)
  if (families & LOGFIRE) readLogfire(draft)
  inferGenAiKind(draft, (families & PROTOCOL) !== 0)
  if (draft.provider !== null) draft.provider = canonicalProvider(draft.provider)
  if (draft.kind === 'chat' || draft.kind === 'embeddings') readUsage(draft, families)
  if (draft.kind === 'agent' || draft.kind === 'workflow') return
  if (families & GEN_AI) readGenAiCost(draft)
  if (families & LANGFUSE) readLangfuseCost(draft)
  if (families & OPEN_INFERENCE) readOpenInferenceCost(draft)
}

function readUsage(draft: ViewDraft, families: number): void {
  if (families & GEN_AI) readGenAiUsage(draft)
  if (families & OPEN_INFERENCE) readOpenInferenceUsage(draft)
  if (families & VERCEL_AI) readVercelAiUsage(draft)
  if (families & OPEN_LLMETRY) readOpenLlmetryUsage(draft)
  if (families & LANGFUSE) readLangfuseUsage(draft)
  if (families & CLAUDE_CODE) readClaudeCodeUsage(draft)
}

/** Looks at each key's head once: cheaper than asking for some two hundred names that are mostly absent. */
function familiesOf(attributes: OtlpAttributes): number {
  let families = 0
  for (const key of attributes.keys()) families |= familyOf(key)
  return families
}

/** Two dialects name their spans with a word of their own, and some of those have no attribute that a view reads. */
function familyOfName(name: string): number {
  return isClaudeCode(name) ? CLAUDE_CODE : isHaystack(name) ? HAYSTACK : 0
}

function familyOf(key: string): number {
  switch (key.charCodeAt(0)) {
    case 0x68: // h
      return key.startsWith('http.') ? HTTP : 0
    case 0x64: // d
      return key.startsWith('db.') ? DATABASE : identityOf(key)
    case 0x72: // r
      return key.startsWith('rpc.') ? RPC : 0
    case 0x6d: // m
      return key.startsWith('messaging.') ? MESSAGING : key.startsWith('mcp.') ? MCP : 0
    case 0x67: // g
      return key.startsWith('gen_ai.') ? genAiFamilyOf(key) : identityOf(key)
    case 0x61: // a
      return key.startsWith('ai.') ? VERCEL_AI | identityOf(key) : key === 'agent_name' ? LOGFIRE : 0
    case 0x6c: // l
      return languageFamilyOf(key) | identityOf(key)
    case 0x74: // t
      return key.startsWith('traceloop.') ? OPEN_LLMETRY | identityOf(key) : 0
    case 0x6f: // o
      return key.startsWith('openinference.') ? OPEN_INFERENCE : key.startsWith('operation.name') ? VERCEL_AI : 0
    case 0x63: // c
    case 0x65: // e
    case 0x73: // s
    case 0x75: // u
      return identityOf(key)
    default:
      return 0
  }
}

function languageFamilyOf(key: string): number {
  if (key.startsWith('llm.')) return OPEN_INFERENCE | OPEN_LLMETRY
  if (!key.startsWith('lang')) return 0
  return key.startsWith('langfuse.') ? LANGFUSE : key.startsWith('langsmith.') ? LANGSMITH : 0
}

function genAiFamilyOf(key: string): number {
  return GEN_AI | identityOf(key) | (key.startsWith('gen_ai.completion.') ? OPEN_LLMETRY : 0)
}

function identityOf(key: string): number {
  return isIdentityKey(key) ? IDENTITY : 0
}

function createDraft(span: OtlpSpan, shared: ResourceView): ViewDraft {
  const derived: Record<string, string> = {}
  if (shared.derivedFrom.service !== undefined) derived.service = shared.derivedFrom.service
  return {
    attributes: span.attributes,
    span,
    kind: null,
    operation: null,
    work: null,
    subject: null,
    agent: null,
    tool: null,
    model: null,
    provider: null,
    user: null,
    session: null,
    release: inherited(derived, shared, 'release'),
    environment: inherited(derived, shared, 'environment'),
    tokens: null,
    cacheBuckets: 'subset',
    costUsd: null,
    finishReasons: [],
    derived,
  }
}

function inheritFromResource(draft: ViewDraft, shared: ResourceView): void {
  draft.session ??= inherited(draft.derived, shared, 'session')
  draft.user ??= inherited(draft.derived, shared, 'user')
}

type InheritedField = 'release' | 'environment' | 'session' | 'user' | 'agent'

function inherited(derived: Record<string, string>, shared: ResourceView, field: InheritedField): string | null {
  const value = shared[field]
  if (value !== null) derived[field] = shared.derivedFrom[field]!
  return value
}

function finish(draft: ViewDraft, service: string): SpanView {
  const operation = nameOperation(draft)
  return {
    kind: draft.kind ?? 'other',
    operation,
    service,
    agent: draft.agent,
    tool: draft.tool,
    model: draft.model,
    provider: draft.provider,
    tokens: settleTokens(draft),
    cost_usd: draft.costUsd,
    user: draft.user,
    release: draft.release,
    environment: draft.environment,
    session: draft.session,
    finish_reasons: draft.finishReasons,
    derived_from: draft.derived,
  }
}
