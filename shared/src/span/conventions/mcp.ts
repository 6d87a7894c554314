import { textAt } from '../attribute-values.ts'
import { claimKind, claimName, claimSpanName, type ViewDraft } from '../view-draft.ts'

/**
 * Model Context Protocol. A `tools/call` is a tool's run like any other dialect's; the other methods are calls of the
 * protocol. The result's `isError` is a matter of detection, and `mcp.session.id` is a connection (see identity).
 */
export const MCP_KEYS = [
  'mcp.method.name',
  'mcp.method',
  'gen_ai.tool.name',
  'mcp.tool.name',
  'mcp.request.params.name',
  'gen_ai.prompt.name',
] as const

const TOOL_CALL = 'tools/call'

export function readMcp(draft: ViewDraft): void {
  const key = draft.attributes.has('mcp.method.name') ? 'mcp.method.name' : 'mcp.method'
  const method = textAt(draft.attributes, key, 64)
  if (method === TOOL_CALL) claimKind(draft, 'tool', 'execute_tool', key)
  else if (method === null && draft.attributes.has('mcp.tool.name')) claimKind(draft, 'tool', 'execute_tool', 'mcp.tool.name')
  if (draft.kind === 'tool') readTool(draft)
  if (method === null || draft.kind !== null) return
  draft.kind = 'rpc'
  draft.derived.kind = key
  const prompt = textAt(draft.attributes, 'gen_ai.prompt.name', 128)
  draft.operation = prompt === null ? method : `${method} ${prompt}`
  draft.derived.operation = key
}

/** By convention the span of a call without attributes of its own is named "tools/call <tool>". */
function readTool(draft: ViewDraft): void {
  claimName(draft, 'tool', 'mcp.tool.name')
  claimName(draft, 'tool', 'mcp.request.params.name')
  const { name } = draft.span
  if (name.startsWith(`${TOOL_CALL} `)) claimSpanName(draft, 'tool', name.slice(TOOL_CALL.length + 1))
}
