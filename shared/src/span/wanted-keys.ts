import { CLAUDE_CODE_KEYS } from './conventions/claude-code.ts'
import { DATABASE_KEYS } from './conventions/database.ts'
import { GEN_AI_KEYS } from './conventions/gen-ai.ts'
import { HAYSTACK_KEYS } from './conventions/haystack.ts'
import { HTTP_KEYS } from './conventions/http.ts'
import { IDENTITY_KEYS } from './conventions/identity.ts'
import { LANGFUSE_KEYS } from './conventions/langfuse.ts'
import { LANGSMITH_KEYS } from './conventions/langsmith.ts'
import { LOGFIRE_KEYS } from './conventions/logfire.ts'
import { MCP_KEYS } from './conventions/mcp.ts'
import { MESSAGING_KEYS } from './conventions/messaging.ts'
import { OPEN_INFERENCE_KEYS } from './conventions/openinference.ts'
import { OPEN_LLMETRY_KEYS } from './conventions/openllmetry.ts'
import { RPC_KEYS } from './conventions/rpc.ts'
import { VERCEL_AI_KEYS } from './conventions/vercel-ai.ts'

/**
 * Every span attribute that `viewSpan` reads: the collector decodes only these (and what detection adds to the list).
 * A view is the same with the other attributes and without them; a test holds each dialect to it.
 */
export const WANTED_KEYS: readonly string[] = [
  ...new Set<string>([
    ...GEN_AI_KEYS,
    ...OPEN_INFERENCE_KEYS,
    ...OPEN_LLMETRY_KEYS,
    ...VERCEL_AI_KEYS,
    ...CLAUDE_CODE_KEYS,
    ...HAYSTACK_KEYS,
    ...LANGFUSE_KEYS,
    ...LANGSMITH_KEYS,
    ...LOGFIRE_KEYS,
    ...MCP_KEYS,
    ...MESSAGING_KEYS,
    ...DATABASE_KEYS,
    ...RPC_KEYS,
    ...HTTP_KEYS,
    ...IDENTITY_KEYS,
  ]),
]

/** Families of which any key is wanted; views need none, each key they read has a name. */
export const WANTED_PREFIXES: readonly string[] = []
