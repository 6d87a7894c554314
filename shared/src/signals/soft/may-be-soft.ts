import type { TraceTree } from '../trace-tree.ts'
import { hasFeedback } from './negative-feedback.ts'
import type { SoftOptions } from './soft-trace.ts'

const AGENT_WORK: ReadonlySet<string> = new Set(['chat', 'tool', 'agent'])

/** Whether any soft rule could see something: most traces of services hold nothing for them. */
export function mayBeSoft({ spans }: TraceTree, { thresholds, isOver }: SoftOptions): boolean {
  let failing = 0
  for (const { span, view, detection } of spans) {
    if (AGENT_WORK.has(view.kind) || (isOver && span.endUnixNano === 0n) || hasFeedback(span)) return true
    if (detection !== null && ++failing >= thresholds.retryStormMin) return true
  }
  return false
}
