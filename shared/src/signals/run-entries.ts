import type { RunEntry } from './model.ts'
import { innermostUsage } from './sessions.ts'
import type { TraceTree } from './trace-tree.ts'

/**
 * Which operation each session's part in the trace is a run of: its outermost agent or workflow, else its first call of a model; and its
 * dearest call of a model by tokens, which stands for it. Parts without such a call are no runs.
 */
export function findRunEntries(tree: TraceTree, sessions: readonly string[]): RunEntry[] {
  const entries = new Map<string, RunEntry & { tokens: number; isAgent: boolean }>()
  const counted = innermostUsage(tree)
  for (const i of tree.topDown) {
    const { span, view } = tree.spans[i]!
    const isAgent = view.kind === 'agent' || view.kind === 'workflow'
    if (span.log || !(isAgent || view.kind === 'chat')) continue
    const sessionId = sessions[i]!
    const known = entries.get(sessionId)
    const own = { service: view.service, operation: view.operation, isAgent }
    const entry = known
      ? isAgent && !known.isAgent
        ? { ...known, ...own }
        : known
      : { sessionId, ...own, spanId: null, tokens: -1 }
    const tokens = counted[i] ? (view.tokens.input ?? 0) + (view.tokens.output ?? 0) : -1
    entries.set(sessionId, tokens > entry.tokens ? { ...entry, spanId: span.spanId, tokens } : entry)
  }
  return [...entries.values()].map(({ sessionId, service, operation, spanId }) => ({ sessionId, service, operation, spanId }))
}
