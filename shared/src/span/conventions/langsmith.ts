import { textAt } from '../attribute-values.ts'
import { type Meanings, meaningIn } from '../kind-meaning.ts'
import { claimKind, claimName, claimSpanName, type ViewDraft } from '../view-draft.ts'

/**
 * LangChain and LangGraph through LangSmith's exporter. Its run type goes before `gen_ai.operation.name`, which calls a prompt a chat
 * and a retriever an embedding; `langsmith.trace.session_id` is LangSmith's word for a project, so it is no session.
 */
export const LANGSMITH_KEYS = ['langsmith.span.kind', 'langsmith.trace.name', 'langsmith.metadata.ls_model_name'] as const

const MEANING_OF_KIND: Meanings = new Map([
  ['llm', { kind: 'chat', work: 'chat' }],
  ['tool', { kind: 'tool', work: 'execute_tool' }],
  ['chain', { kind: 'workflow', work: null }],
  ['retriever', { kind: 'retrieval', work: null }],
  ['embedding', { kind: 'embeddings', work: 'embeddings' }],
  ['prompt', { kind: 'other', work: null }],
  ['parser', { kind: 'other', work: null }],
])

export function readLangSmith(draft: ViewDraft): void {
  const meaning = meaningIn(MEANING_OF_KIND, textAt(draft.attributes, 'langsmith.span.kind', 32))
  if (meaning === undefined) return
  claimKind(draft, meaning.kind, meaning.work, 'langsmith.span.kind')
  if (meaning.kind === 'chat') claimName(draft, 'model', 'langsmith.metadata.ls_model_name')
  if (meaning.kind !== 'tool') return
  claimName(draft, 'tool', 'gen_ai.tool.name')
  claimName(draft, 'tool', 'langsmith.trace.name')
  claimSpanName(draft, 'tool', draft.span.name)
}
