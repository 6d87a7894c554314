import { firstAbove } from '../soft/agent-runs.ts'
import type { SoftTrace } from '../soft/soft-trace.ts'
import { NO_PARENT } from '../trace-tree.ts'
import type { FoundHint, HintRule } from './hint.ts'

const SHREDDED_LINES_MIN = 8
const SHREDDED_SHARE = 0.4
/** Turns after it that are looked at: those inside the step itself have not read what it put out. */
const READERS_MAX = 20
/** A number before the line, as lists have it. */
const LINE_NUMBER = /^\s*\d{1,6}[:.)]\s*/

/** Text that was printed as a list of its characters. */
export const shreddedOutput: HintRule = (trace) =>
  trace.runs.flatMap(({ turns, spans }) =>
    spans.flatMap((i): FoundHint[] => {
      const { kind } = trace.tree.spans[i]!.view
      if (kind !== 'tool' && kind !== 'workflow') return []
      const lines = (trace.resultOf(i) ?? '').split('\n')
      const single = lines.filter((line) => line.replace(LINE_NUMBER, '').trim().length === 1).length
      if (single < SHREDDED_LINES_MIN || single < lines.length * SHREDDED_SHARE) return []
      const readers = turns.slice(firstAbove(turns, i), firstAbove(turns, i) + READERS_MAX)
      const reader = readers.find((turn) => !isInside(trace, turn, i))
      return [{ at: reader ?? i, kind: 'shredded_output', because: `${single} lines of one character in what it read` }]
    }),
  )

function isInside({ tree: { parents } }: SoftTrace, i: number, ancestor: number): boolean {
  for (let up = parents[i]!; up !== NO_PARENT; up = parents[up]!) if (up === ancestor) return true
  return false
}

const NOTHING_FOUND =
  /\b(?:no (?:\w{1,20} )?(?:results?|matches|documents|records|articles|entries) (?:were |was )?(?:found|returned|available)|0 results|nothing (?:was )?found|did not match any|returned no results)\b/i
const HEAD_MAX_CHARS = 400

/** The turn that asked for a search which found nothing. */
export const emptySearch: HintRule = (trace) =>
  trace.runs.flatMap(({ turns, actions }) =>
    actions.flatMap((i): FoundHint[] => {
      const { detection, view } = trace.tree.spans[i]!
      const said = (detection?.message ?? trace.resultOf(i) ?? '').slice(0, HEAD_MAX_CHARS)
      const found = NOTHING_FOUND.exec(said)?.[0]
      if (found === undefined) return []
      return [{ at: turns[firstAbove(turns, i - 1) - 1] ?? i, kind: 'empty_search', because: `${view.operation}: ${found}` }]
    }),
  )

const STREAK_MIN = 3

export const sameToolStreak: HintRule = (trace) =>
  trace.runs.flatMap(({ actions }) => {
    const hints: FoundHint[] = []
    let streak = 0
    let last: string | null = null
    for (const at of actions) {
      const { tool } = trace.tree.spans[at]!.view
      streak = tool !== null && tool === last ? streak + 1 : 1
      last = tool
      if (streak >= STREAK_MIN) hints.push({ at, kind: 'same_tool_streak', because: `${tool} ran ${streak} times in a row` })
    }
    return hints
  })
