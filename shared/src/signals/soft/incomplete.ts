import { NO_PARENT } from '../trace-tree.ts'
import type { SoftFinding, SoftRule } from './rule.ts'

/**
 * A span that never ended, ten minutes after the last that was heard of its trace. The deepest is blamed: what waits for it could not
 * end either.
 */
export const incomplete: SoftRule = {
  signal: 'incomplete',
  find({ tree, isOver, hasFailureBelow }) {
    if (!isOver) return []
    const { spans, parents, topDown } = tree
    const waits = new Array<boolean>(spans.length).fill(false)
    const findings: SoftFinding[] = []
    for (let at = topDown.length - 1; at >= 0; at--) {
      const i = topDown[at]!
      if (spans[i]!.span.endUnixNano !== 0n) continue
      const isDeepest = !waits[i]
      const alsoAt: number[] = []
      for (let up = parents[i]!; up !== NO_PARENT && isDeepest && !waits[up]; up = parents[up]!) {
        waits[up] = true
        if (spans[up]!.span.endUnixNano === 0n) alsoAt.push(up)
      }
      if (!isDeepest || hasFailureBelow(i)) continue
      findings.push({
        at: i,
        errorType: null,
        message: 'the span never ended',
        because: 'no end time ten minutes after the last span',
        alsoAt,
      })
    }
    return findings
  },
}
