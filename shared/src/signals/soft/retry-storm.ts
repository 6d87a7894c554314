import { NO_PARENT } from '../trace-tree.ts'
import type { SoftFinding, SoftRule } from './rule.ts'

/**
 * The same work failed again and again under one parent, and the parent went on trying: a trouble of the parent, beside the failures
 * themselves. Tries of which a success stood in between begin anew.
 */
export const retryStorm: SoftRule = {
  signal: 'retry_storm',
  isBesideErrors: true,
  find({ tree, fails, argumentsOf, thresholds }) {
    const { spans, parents } = tree
    const tries = new Map<string, number[]>()
    const storms = new Map<number, { work: string; tries: number[] }>()
    for (let i = 0; i < spans.length; i++) {
      const parent = parents[i]!
      if (parent === NO_PARENT) continue
      const { service, operation } = spans[i]!.view
      const { kind, name } = spans[i]!.span
      // The name as sent, too: steps that are numbered are no tries of one another. A tool is tried again with the same arguments.
      const asked = spans[i]!.view.kind === 'tool' ? argumentsOf(i) : null
      const work = JSON.stringify([parent, kind, service, operation, name, asked])
      const before = tries.get(work)
      if (!fails(i)) {
        if (before !== undefined) tries.delete(work)
        continue
      }
      const now = before ?? []
      now.push(i)
      tries.set(work, now)
      const worst = storms.get(parent)?.tries.length ?? thresholds.retryStormMin - 1
      if (now.length > worst) storms.set(parent, { work: operation, tries: now })
    }
    return [...storms].map(
      ([at, storm]): SoftFinding => ({
        at,
        errorType: storm.work,
        message: `${storm.work} was tried again and again`,
        because: `${storm.tries.length} failed tries of ${storm.work}`,
      }),
    )
  },
}
