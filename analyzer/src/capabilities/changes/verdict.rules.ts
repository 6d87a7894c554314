import type { RateRatio } from '../../domain/statistics/rate-ratio.ts'
import { planLastLook, planRuns, runsStillNeeded } from '../../domain/verification/plan-runs.ts'
import { hasSamplingChanged, type SampledTraffic } from '../../domain/verification/sampling.ts'
import { lookAt, WINDOWS_MIN } from '../../domain/verification/sequential-interval.ts'
import type { Traffic } from '../../domain/verification/traffic.ts'

export interface VerdictFacts {
  before: Traffic
  after: Traffic
  parent: { before: Traffic; after: Traffic } | null
  serviceRunsAfter: number
  oldVersionRunsAfter: number
  /** What an earlier verdict of this change called held, and what came since; null where none did. */
  sinceHeld: { held: Traffic; since: Traffic } | null
  sampling: { before: SampledTraffic; after: SampledTraffic }
  /** What was planned when the change was recorded; null where nothing had run by then. */
  plan: PlannedRuns | null
}

/** Runs after the change: that make the bound of the looks as low as it gets, and that show a fall by half. */
export interface PlannedRuns {
  lastLookRuns: number
  minimumRuns: number
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
  /** Chance of a false verdict over all looks together. */
  alpha: number
}

export interface Judgement {
  verdict: Verdict
  reason: RefusalReason | null
  detail: string | null
  ratio: RateRatio | null
  /** Runs still needed before a fall could show; null unless traffic is what is missing. */
  runsNeeded: number | null
}

/** The name of the test, as every verdict carries it. */
export const VERDICT_TEST =
  'sequential: exact conditional interval of a Poisson rate ratio on counts divided by their dispersion, O’Brien-Fleming bound, Student’s t'

/**
 * The verdict of a change, or why there is none. Silence is never held: both sides need runs in at least four windows, and the
 * interval of the rate ratio that holds over all looks decides, not its value. Held needs the whole interval below 1 - δ, worse above
 * 1 + δ, unchanged inside. A fall whose parent key did not fall has moved. What was held and then rose above its held rate has slipped.
 */
export function judgeChange(facts: VerdictFacts, rule: VerdictRule): Judgement {
  const { before, after } = facts
  const { delta } = rule
  const refusal = refuse(facts)
  if (refusal !== null) return { verdict: 'refused', reason: refusal, detail: null, ratio: null, runsNeeded: null }
  if (hasFewWindows(before)) return tooFewWindows('before')
  if (hasSlipped(facts, rule)) return said('slipped', ratioOf(before, after, rule))
  const planned = plannedNow(facts, rule)
  if (hasFewWindows(after)) return { ...tooFewWindows('after'), runsNeeded: fewestRuns(facts, planned, rule) }
  const ratio = ratioOf(before, after, rule, planned)
  if (isBelow(ratio, 1 - delta)) return said(parentFell(facts, rule) ? 'held' : 'moved', ratio)
  if (ratio.low > 1 + delta) return said('worse', ratio)
  if (ratio.low >= 1 - delta && ratio.high !== null && ratio.high <= 1 + delta) return said('unchanged', ratio)
  const missing = missingRuns(facts, planned, rule)
  const reason = missing > 0 ? 'insufficient_traffic' : 'inconclusive'
  return { verdict: 'refused', reason, detail: null, ratio, runsNeeded: missing > 0 ? missing : null }
}

function said(verdict: Verdict, ratio: RateRatio): Judgement {
  return { verdict, reason: null, detail: null, ratio, runsNeeded: null }
}

function refuse({ before, after, serviceRunsAfter, oldVersionRunsAfter, sampling }: VerdictFacts): RefusalReason | null {
  if (after.runs === 0 && oldVersionRunsAfter > 0) return 'still_on_old_version'
  if (after.runs === 0) return serviceRunsAfter > 0 ? 'path_not_exercised' : 'no_data'
  if (before.runs === 0) return 'no_data'
  if (before.failures === 0 && after.failures === 0) return 'no_data'
  return hasSamplingChanged(sampling.before, sampling.after) ? 'sampling_changed' : null
}

/** What comes late of before says nothing of after: it may move the last look, else what arrived by chance at first would bind. */
function plannedNow({ before, plan }: VerdictFacts, rule: VerdictRule): PlannedRuns {
  const now = planOf(before, rule)
  return plan ? { ...plan, lastLookRuns: Math.max(plan.lastLookRuns, now.lastLookRuns) } : now
}

/** From the traffic before a change alone, so that it is the same whenever it is made. */
export function planOf(before: Traffic, { delta }: VerdictRule): PlannedRuns {
  return { lastLookRuns: planLastLook(before, delta), minimumRuns: planRuns(before, delta) }
}

function hasFewWindows({ windows }: Traffic): boolean {
  return windows.length < WINDOWS_MIN
}

function tooFewWindows(side: 'before' | 'after'): Judgement {
  const detail = `fewer than ${WINDOWS_MIN} minutes with runs ${side} the change: failures of one moment cannot be told from a rate`
  return { verdict: 'refused', reason: 'insufficient_traffic', detail, ratio: null, runsNeeded: null }
}

function hasSlipped({ sinceHeld }: VerdictFacts, rule: VerdictRule): boolean {
  if (!sinceHeld || hasFewWindows(sinceHeld.held) || hasFewWindows(sinceHeld.since)) return false
  return ratioOf(sinceHeld.held, sinceHeld.since, rule).low > 1 + rule.delta
}

function parentFell({ parent }: VerdictFacts, rule: VerdictRule): boolean {
  return !parent || isBelow(ratioOf(parent.before, parent.after, rule), 1 - rule.delta)
}

function isBelow({ high }: RateRatio, bound: number): boolean {
  return high !== null && high < bound
}

function ratioOf(before: Traffic, after: Traffic, rule: VerdictRule, planned = planOf(before, rule)): RateRatio {
  return lookAt(before, after, { plannedRuns: planned.lastLookRuns, alpha: rule.alpha }).ratio
}

/** Runs that are missing after the change: until a stop of the failures would show, or until a fall by half probably would. */
function missingRuns(facts: VerdictFacts, planned: PlannedRuns, rule: VerdictRule): number {
  const { before, after } = facts
  if (before.failures === 0) return 0
  return Math.max(
    fewestRuns(facts, planned, rule) ?? 0,
    Math.ceil(planned.minimumRuns - after.runs),
    runsStillNeeded(before, after, rule.delta),
  )
}

/** Runs without one more failure after which the verdict would be held; null where no number up to the planned ones would do. */
function fewestRuns({ before, after }: VerdictFacts, planned: PlannedRuns, rule: VerdictRule): number | null {
  if (before.failures === 0) return null
  const holds = (more: number) => isBelow(ratioOf(before, withoutFailure(after, more), rule, planned), 1 - rule.delta)
  let low = 0
  let high = Math.ceil(Math.max(planned.minimumRuns, planRuns(before, rule.delta)))
  if (!holds(high)) return null
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}

/** The same traffic with so many runs behind it that did not fail. */
function withoutFailure({ windows, ...rest }: Traffic, runs: number): Traffic {
  const missing = Math.max(1, WINDOWS_MIN - windows.length)
  const more = Array.from({ length: missing }, () => ({ runs: runs / missing, failures: 0 }))
  return { ...rest, runs: rest.runs + runs, windows: [...windows, ...more] }
}

/** Percent by which the rate changed, negative for a fall; null where there was none before. */
export function changePercent(
  before: Pick<Traffic, 'failures' | 'runs'>,
  after: Pick<Traffic, 'failures' | 'runs'>,
): number | null {
  if (before.failures === 0 || before.runs === 0 || after.runs === 0) return null
  const ratio = after.failures / after.runs / (before.failures / before.runs)
  return Math.round((ratio - 1) * 1000) / 10
}
