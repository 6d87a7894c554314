import { type Judgement, judgeChange, planOf, type VerdictRule } from '../../analyzer/src/capabilities/changes/verdict.rules.ts'
import { compareSides, type SideMinutes } from '../../analyzer/src/domain/verification/compare-sides.ts'
import type { Traffic } from '../../analyzer/src/domain/verification/traffic.ts'

/** What the product compares of two sides. */
export function compareMinutes(minutes: SideMinutes) {
  const sides = compareSides({ own: minutes, weighed: null, parent: null })
  return { ...sides, compared: sides.control?.compared ?? { before: sides.before, after: sides.after } }
}

/** What the product says of two sides of a change: all runs are of one operation, none is sampled. */
export function judgeMinutes(minutes: SideMinutes, rule: VerdictRule): Judgement {
  const sides = compareMinutes(minutes)
  const sampled = ({ runs, failures, windows }: Traffic) => ({ spans: runs, runs, failures, minutes: windows.length })
  return judgeChange(
    {
      ...sides,
      ...{ serviceRunsAfter: sides.after.runs, oldVersionRunsAfter: 0 },
      sampling: { before: sampled(sides.before), after: sampled(sides.after) },
      plan: planOf(sides.compared.before, rule),
    },
    rule,
  )
}
