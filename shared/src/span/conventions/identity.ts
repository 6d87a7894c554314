import { claimIdentity, type IdentityField, type ViewDraft } from '../view-draft.ts'

/**
 * Who and what a span belongs to. First the standard's own words, then those of the dialects. `thread.id` is missing
 * on purpose: in OpenTelemetry it is a thread of the operating system.
 */
const SESSION_KEYS = [
  'session.id',
  'gen_ai.conversation.id',
  'langfuse.session.id',
  'traceloop.association.properties.session_id',
  'traceloop.association.properties.conversation_id',
  'traceloop.association.properties.thread_id',
  'traceloop.association.properties.chat_id',
  'ai.telemetry.metadata.sessionId',
  'ai.telemetry.metadata.session_id',
  'ai.telemetry.metadata.conversationId',
  'ai.telemetry.metadata.conversation_id',
  'ai.telemetry.metadata.threadId',
  'ai.telemetry.metadata.thread_id',
  'ai.telemetry.metadata.chatId',
  'ai.telemetry.metadata.chat_id',
  'gen_ai.thread.id',
  'gcp.vertex.agent.session_id',
  'langsmith.metadata.thread_id',
  'langsmith.metadata.session_id',
  'langsmith.metadata.conversation_id',
  'conversation.id',
  'conversation_id',
  'session_id',
] as const

/** The connection of an MCP client: outlives and spans users' sessions, so it counts only where nothing else does. */
const LAST_RESORT_SESSION_KEY = 'mcp.session.id'

const USER_KEYS = [
  'user.id',
  'enduser.id',
  'langfuse.user.id',
  'traceloop.association.properties.user_id',
  'ai.telemetry.metadata.userId',
  'ai.telemetry.metadata.user_id',
  'llm.user',
  'user_id',
  'enduser.pseudo.id',
] as const

const RELEASE_KEYS = ['service.version', 'langfuse.release', 'ai.telemetry.metadata.release'] as const

const ENVIRONMENT_KEYS = [
  'deployment.environment.name',
  'deployment.environment',
  'langfuse.environment',
  'ai.telemetry.metadata.environment',
] as const

export const IDENTITY_KEYS = [
  ...SESSION_KEYS,
  LAST_RESORT_SESSION_KEY,
  ...USER_KEYS,
  ...RELEASE_KEYS,
  ...ENVIRONMENT_KEYS,
] as const

const KNOWN_KEYS = new Set<string>(IDENTITY_KEYS)

/** True where the key says who or what; lets the caller skip `readIdentity` for the many spans without. */
export function isIdentityKey(key: string): boolean {
  return KNOWN_KEYS.has(key)
}

/** Fills what the resource has not said, in the order of the lists. */
export function readIdentity(draft: ViewDraft): void {
  claimFirst(draft, 'session', SESSION_KEYS)
  claimFirst(draft, 'user', USER_KEYS)
  claimFirst(draft, 'release', RELEASE_KEYS)
  claimFirst(draft, 'environment', ENVIRONMENT_KEYS)
}

function claimFirst(draft: ViewDraft, field: IdentityField, keys: readonly string[]): void {
  for (const key of keys) {
    if (draft[field] !== null) return
    claimIdentity(draft, field, key)
  }
}

export function readLastResortSession(draft: ViewDraft): void {
  claimIdentity(draft, 'session', LAST_RESORT_SESSION_KEY)
}
