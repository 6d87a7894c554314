import { BECAUSE_MAX_CHARS } from '../soft/find-soft.ts'
import type { SoftTrace } from '../soft/soft-trace.ts'
import { compareTexts } from '../trace-tree.ts'
import { selfReportedTrouble, simulatedWork, unsupportedAnswer } from './answers.ts'
import { failedActions, invalidArguments } from './failed-actions.ts'
import type { FoundHint, HintRule } from './hint.ts'
import { emptySearch, sameToolStreak, shreddedOutput } from './results.ts'
import { unusedTool } from './unused-tool.ts'

const RULES: readonly HintRule[] = [
  failedActions,
  invalidArguments,
  shreddedOutput,
  unsupportedAnswer,
  simulatedWork,
  selfReportedTrouble,
  emptySearch,
  unusedTool,
  sameToolStreak,
]

/** All hints of a trace, each kind at most once a span, in the order of the tree. */
export function findHints(trace: SoftTrace): FoundHint[] {
  const found = new Map<string, FoundHint>()
  for (const rule of RULES)
    for (const hint of rule(trace)) found.set(`${hint.at} ${hint.kind}`, found.get(`${hint.at} ${hint.kind}`) ?? hint)
  return [...found.values()]
    .map((hint) => ({ ...hint, because: hint.because.slice(0, BECAUSE_MAX_CHARS) }))
    .sort((a, b) => a.at - b.at || compareTexts(a.kind, b.kind))
}
