import { textAt } from '../attribute-values.ts'
import { type Meanings, meaningIn } from '../kind-meaning.ts'
import { claimKind, claimName, claimSubject, type ViewDraft } from '../view-draft.ts'

/** Haystack's own tracing: the span's name says the step, a component its class and the name it has in its pipeline. */
export const HAYSTACK_KEYS = ['haystack.tool.name', 'haystack.component.name', 'haystack.component.type'] as const

const GENERATOR = /Generator$/
const EMBEDDER = /Embedder$/
const RETRIEVER = /(?:Retriever|Ranker|WebSearch)$/

const MEANING_OF_NAME: Meanings = new Map([
  ['haystack.agent.run', { kind: 'agent', work: 'invoke_agent' }],
  ['haystack.agent.step.llm', { kind: 'chat', work: 'chat' }],
  ['haystack.agent.step.tool', { kind: 'tool', work: 'execute_tool' }],
  ['haystack.pipeline.run', { kind: 'workflow', work: null }],
])

export function isHaystack(spanName: string): boolean {
  return spanName.startsWith('haystack.')
}

export function readHaystack(draft: ViewDraft): void {
  const meaning = meaningIn(MEANING_OF_NAME, draft.span.name)
  if (meaning !== undefined) claimKind(draft, meaning.kind, meaning.work, 'span.name')
  else if (draft.attributes.has('haystack.component.type')) readComponent(draft)
  if (draft.kind === 'tool') claimName(draft, 'tool', 'haystack.tool.name')
}

function readComponent(draft: ViewDraft): void {
  const from = 'haystack.component.type'
  const type = textAt(draft.attributes, from, 128) ?? ''
  if (GENERATOR.test(type)) claimKind(draft, 'chat', 'chat', from)
  else if (EMBEDDER.test(type)) claimKind(draft, 'embeddings', 'embeddings', from)
  else claimKind(draft, RETRIEVER.test(type) ? 'retrieval' : 'workflow', 'run', from)
  claimSubject(draft, 'haystack.component.name')
}
