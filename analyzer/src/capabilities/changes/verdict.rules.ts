import { type Exposure, type RateRatio, rateRatio, runsToShowFall } from '../../domain/statistics/rate-ratio.ts'

/** One side as it was counted; sampled failures carry the sum of their squared weights. */
export interface CountedSide {
  failures: number
  failuresSquared: number
  runs: number
}

export interface VerdictFacts {
  before: CountedSide
  after: CountedSide
  parent: { before: CountedSide; after: CountedSide } | null
  serviceRunsAfter: number
  oldVersionRunsAfter: number
  /** What an earlier verdict of this change called held, and what came since; null where none did. */
  sinceHeld: { held: CountedSide; since: CountedSide } | null
}

export type Verdict = 'held' | 'slipped' | 'unchanged' | 'worse' | 'moved' | 'refused'
export type RefusalReason =
  | 'no_data'
  | 'insufficient_traffic'
  | 'path_not_exercised'
  | 'still_on_old_version'
  | 'sampling_changed'
  | 'inconclusive'

export interface VerdictRule {
  /** Half width of what counts as unchanged. */
  delta: number
  /** Chance of a false verdict on one look. */
  alpha: number
}

export interface Judgement {
  verdict: Verdict
  reason: RefusalReason | null
  ratio: RateRatio | null
  /** Runs still needed before a fall could show; null unless traffic is what is missing. */
  runsNeeded: number | null
}

/** The name of the test, as every verdict carries it. */
export const VERDICT_TEST = 'exact conditional interval of a Poisson rate ratio (Clopper-Pearson), one look'

/**
 * The verdict of a change, or why there is none. Silence is never held: both sides need runs, and the interval of the rate ratio
 * decides, not its value. Held needs the whole interval below 1 - δ, worse above 1 + δ, unchanged inside. A fall whose parent key did
 * not fall has moved. What was held and then rose above its held rate has slipped.
 */
export function judgeChange(facts: VerdictFacts, { delta, alpha }: VerdictRule): Judgement {
  const { before, after } = facts
  const refusal = refuse(facts)
  if (refusal !== null) return { verdict: 'refused', reason: refusal, ratio: null, runsNeeded: null }
  const ratio = ratioOf(before, after, alpha)
  const said = (verdict: Verdict): Judgement => ({ verdict, reason: null, ratio, runsNeeded: null })
  if (hasSlipped(facts, delta, alpha)) return said('slipped')
  if (isBelow(ratio, 1 - delta)) return said(parentFell(facts, delta, alpha) ? 'held' : 'moved')
  if (ratio.low > 1 + delta) return said('worse')
  if (ratio.low >= 1 - delta && ratio.high !== null && ratio.high <= 1 + delta) return said('unchanged')
  const weight = meanWeight(before, after)
  const needed = runsToShowFall(unweighted(before, weight), 1 - delta, alpha)
  const missing = needed === null ? null : Math.max(0, Math.ceil(needed * weight - after.runs))
  if (missing !== null && missing > 0) return { verdict: 'refused', reason: 'insufficient_traffic', ratio, runsNeeded: missing }
  return { verdict: 'refused', reason: 'inconclusive', ratio, runsNeeded: null }
}

function refuse({ before, after, serviceRunsAfter, oldVersionRunsAfter }: VerdictFacts): RefusalReason | null {
  if (after.runs === 0 && oldVersionRunsAfter > 0) return 'still_on_old_version'
  if (after.runs === 0) return serviceRunsAfter > 0 ? 'path_not_exercised' : 'no_data'
  if (before.runs === 0) return 'no_data'
  return before.failures === 0 && after.failures === 0 ? 'no_data' : null
}

function hasSlipped({ sinceHeld }: VerdictFacts, delta: number, alpha: number): boolean {
  if (!sinceHeld || sinceHeld.held.runs === 0 || sinceHeld.since.runs === 0) return false
  return ratioOf(sinceHeld.held, sinceHeld.since, alpha).low > 1 + delta
}

function parentFell({ parent }: VerdictFacts, delta: number, alpha: number): boolean {
  if (!parent) return true
  return isBelow(ratioOf(parent.before, parent.after, alpha), 1 - delta)
}

function isBelow({ high }: RateRatio, bound: number): boolean {
  return high !== null && high < bound
}

function ratioOf(before: CountedSide, after: CountedSide, alpha: number): RateRatio {
  const weight = meanWeight(before, after)
  return rateRatio(unweighted(before, weight), unweighted(after, weight), alpha)
}

/**
 * What one failure stands for on average (Kish). Sampled counts are divided by it, since they are worth fewer independent ones; both
 * sides by the same, or the side without failures would keep the weight of runs that it never had.
 */
function meanWeight(before: CountedSide, after: CountedSide): number {
  const failures = before.failures + after.failures
  return failures > 0 ? (before.failuresSquared + after.failuresSquared) / failures : 1
}

function unweighted({ failures, runs }: CountedSide, weight: number): Exposure {
  return { failures: failures / weight, runs: runs / weight }
}

/** Percent by which the rate changed, negative for a fall; null where there was none before. */
export function changePercent(before: CountedSide, after: CountedSide): number | null {
  if (before.failures === 0 || before.runs === 0 || after.runs === 0) return null
  const ratio = after.failures / after.runs / (before.failures / before.runs)
  return Math.round((ratio - 1) * 1000) / 10
}
