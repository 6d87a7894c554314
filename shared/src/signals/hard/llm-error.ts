import type { HardRule } from './rule.ts'

/** A model call that failed for no reason that has a signal of its own. */
export const llmError: HardRule = {
  signal: 'llm_error',
  applies: ({ view }) => (view.kind === 'chat' || view.kind === 'embeddings' ? `a failing span of kind ${view.kind}` : null),
}
