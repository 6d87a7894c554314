import type { SessionStep } from './session-step.ts'

/** The first step at which a session and its healthy twin part. */
export interface Parting {
  kind: 'failed' | 'only_here' | 'only_in_twin'
  /** Places among the steps of each; null where it has no such step. */
  ours: number | null
  theirs: number | null
}

export interface TwinDifference {
  /** Steps that both have, going the same way. */
  same: number
  onlyHere: number
  onlyInTwin: number
  parted: Parting | null
}

/**
 * Compares what was done, step by step: the same work at the same place of the tree is the same step. Its order alone is no difference,
 * since what runs side by side begins in any order.
 */
export function compareWithTwin(ours: readonly SessionStep[], theirs: readonly SessionStep[]): TwinDifference {
  const mine = shownSteps(ours)
  const other = shownSteps(theirs)
  const waiting = new Map<string, number[]>()
  for (const at of other) waiting.set(keyOf(theirs[at]!), [...(waiting.get(keyOf(theirs[at]!)) ?? []), at])
  const pairs = mine.map((at) => ({ ours: at, theirs: waiting.get(keyOf(ours[at]!))?.shift() ?? null }))
  const isSame = (pair: Pair) => pair.theirs !== null && !(goesWrong(ours[pair.ours]!) && !goesWrong(theirs[pair.theirs]!))
  const missing = [...waiting.values()].flat().sort((a, b) => a - b)
  return {
    same: pairs.filter(isSame).length,
    onlyHere: pairs.filter((pair) => pair.theirs === null).length,
    onlyInTwin: missing.length,
    parted: firstParting(pairs, isSame, { missing, other }),
  }
}

interface Pair {
  ours: number
  theirs: number | null
}

interface Sides {
  missing: readonly number[]
  other: readonly number[]
}

/** Which comes first, counted in steps of each side. */
function firstParting(pairs: readonly Pair[], isSame: (pair: Pair) => boolean, { missing, other }: Sides): Parting | null {
  const wrong = pairs.findIndex((pair) => !isSame(pair))
  const lacks = missing[0] === undefined ? -1 : other.indexOf(missing[0])
  if (wrong < 0 && lacks < 0) return null
  if (lacks >= 0 && (wrong < 0 || lacks < wrong)) return { kind: 'only_in_twin', ours: null, theirs: missing[0]! }
  const { ours, theirs } = pairs[wrong]!
  return theirs === null ? { kind: 'only_here', ours, theirs: null } : { kind: 'failed', ours, theirs }
}

/** How alike two sessions are, from 0 to 1: the share of their steps that both have. */
export function likeness(ours: readonly SessionStep[], theirs: readonly SessionStep[]): number {
  const counts = new Map<string, number>()
  const mine = shownSteps(ours)
  const other = shownSteps(theirs)
  for (const at of mine) counts.set(keyOf(ours[at]!), (counts.get(keyOf(ours[at]!)) ?? 0) + 1)
  let shared = 0
  for (const at of other) {
    const left = counts.get(keyOf(theirs[at]!)) ?? 0
    if (left > 0) shared += 1
    counts.set(keyOf(theirs[at]!), left - 1)
  }
  return mine.length + other.length === 0 ? 0 : (2 * shared) / (mine.length + other.length)
}

/** An agent's steps are its turns and actions; without any, all spans are. An error that only passed through is no step of its own. */
function shownSteps(steps: readonly SessionStep[]): number[] {
  const acting = steps.flatMap(({ role }, at) => (role === 'other' ? [] : [at]))
  return acting.length > 0 ? acting : steps.map((_, at) => at)
}

const keyOf = ({ agent, service, path }: SessionStep) => `${agent ?? ''}\n${service}\n${path}`

/** Failed here; a step that waits for another which failed goes the same way as before. */
const goesWrong = ({ failure }: SessionStep) => failure !== null
