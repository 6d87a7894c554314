import { claimKind, claimName, type ViewDraft } from '../view-draft.ts'

/** Pydantic AI as Logfire's users have it: before it said `gen_ai.operation.name`, an agent's run was known by its words alone. */
export const LOGFIRE_KEYS = ['agent_name', 'model_name'] as const

/** Called last, where nothing else has said what the span is. */
export function readLogfire(draft: ViewDraft): void {
  if (draft.kind !== null || !draft.attributes.has('agent_name') || draft.attributes.has('gen_ai.request.model')) return
  claimName(draft, 'agent', 'agent_name')
  if (draft.agent === null) return
  claimKind(draft, 'agent', 'invoke_agent', 'agent_name')
  claimName(draft, 'model', 'model_name')
}
