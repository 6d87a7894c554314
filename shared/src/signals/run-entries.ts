import type { RunEntry } from './model.ts'
import { innermostUsage } from './sessions.ts'
import type { TraceTree } from './trace-tree.ts'

/**
 * Which operation each session's part in the trace is a run of: its outermost agent or workflow, else its first call of a model. Parts
 * that no call of a model with its usage belongs to are no runs.
 */
export function findRunEntries(tree: TraceTree, sessions: readonly string[]): RunEntry[] {
  const entries = new Map<string, RunEntry & { isAgent: boolean }>()
  const counted = innermostUsage(tree)
  const measured = new Set<string>()
  for (const i of tree.topDown) {
    const { span, view } = tree.spans[i]!
    const sessionId = sessions[i]!
    if (counted[i]) measured.add(sessionId)
    const isAgent = view.kind === 'agent' || view.kind === 'workflow'
    if (span.log || !(isAgent || view.kind === 'chat')) continue
    const known = entries.get(sessionId)
    if (known && (known.isAgent || !isAgent)) continue
    entries.set(sessionId, { sessionId, service: view.service, operation: view.operation, spanId: span.spanId, isAgent })
  }
  return [...entries.values()]
    .filter(({ sessionId }) => measured.has(sessionId))
    .map(({ sessionId, service, operation, spanId }) => ({ sessionId, service, operation, spanId }))
}
