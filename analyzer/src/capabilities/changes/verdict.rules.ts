import type { RateRatio } from '../../domain/statistics/rate-ratio.ts'
import type { ControlKind } from '../../domain/verification/compare-sides.ts'
import type { Compared } from '../../domain/verification/control.ts'
import { planLastLook, planRuns, runsStillNeeded } from '../../domain/verification/plan-runs.ts'
import { hasSamplingChanged, type SampledTraffic } from '../../domain/verification/sampling.ts'
import { lookAt, WINDOWS_MIN } from '../../domain/verification/sequential-interval.ts'
import type { Traffic } from '../../domain/verification/traffic.ts'

export interface VerdictFacts {
  before: Traffic
  after: Traffic
  /** What is compared instead, where all of before would mislead. */
  control: { kind: ControlKind; compared: Compared } | null
  /** What is compared, with every failure that differs only in words or stack. */
  parent: Compared | null
  serviceRunsAfter: number
  oldVersionRunsAfter: number
  /** What was after the change until its rate rose or the version that it replaced came back, and since; null where neither did. */
  rise: { held: Traffic; since: Traffic; replaced: Traffic | null } | null
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

/** With which an interval holds the true ratio at all looks together, as simulated: somewhat less than 1 - alpha where failures clump. */
export const INTERVAL_CONFIDENCE = 0.9

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
  /** After over before, all of both. */
  ratio: RateRatio | null
  /** What the verdict goes by where that is not all of before. */
  controlRatio: RateRatio | null
  /** Runs still needed before a fall could show; null unless traffic is what is missing. */
  runsNeeded: number | null
}

/** The name of the test, as every verdict carries it, with what was compared. */
export function testName(control: ControlKind | null): string {
  return control === null ? VERDICT_TEST : `${VERDICT_TEST}; ${COMPARED[control]}`
}

const COMPARED: Readonly<Record<ControlKind, string>> = {
  same_time: 'against the old version in the same time, rates standardized by Mantel and Haenszel’s weights (concurrent control)',
  latest_stretch: 'against what was before since its rate last changed',
  same_operations: 'operation by operation, rates standardized by Mantel and Haenszel’s weights',
}
const VERDICT_TEST =
  'sequential: exact conditional interval of a Poisson rate ratio on counts divided by their dispersion, O’Brien-Fleming bound, Student’s t'

/**
 * The verdict of a change, or why there is none. Silence is never held: both sides need runs in at least four windows, and the
 * interval of the rate ratio that holds over all looks decides, not its value. Held needs the whole interval below 1 - δ, worse above
 * 1 + δ, unchanged inside. A fall that siblings made up for has moved. What would have been held until its rate rose, and has been above
 * that since, has slipped, whoever looked when.
 */
export function judgeChange(facts: VerdictFacts, rule: VerdictRule): Judgement {
  const { before, after, control } = facts
  const refusal = refuse(facts)
  if (refusal !== null) return { ...NOTHING_SAID, reason: refusal }
  const compared = control?.compared ?? { before, after }
  if (isIdle(facts, compared)) return { ...NOTHING_SAID, reason: 'path_not_exercised', detail: IDLE }
  const planned = plannedNow(facts.plan, compared.before, rule)
  if (hasFewWindows(before) || hasFewWindows(compared.before)) return tooFewWindows('before', { compared, planned, rule })
  if (hasFewWindows(after) || hasFewWindows(compared.after)) return tooFewWindows('after', { compared, planned, rule })
  const own = ratioOf(compared.before, compared.after, rule, planned)
  const ratios = { ratio: control ? ratioOf(before, after, rule) : own, controlRatio: control && own }
  if (compared.before.failures + compared.after.failures === 0)
    return { ...NOTHING_SAID, reason: 'no_data', detail: 'it had stopped failing before the change', ...ratios }
  const verdict = hasSlipped(facts.rise, compared.before, { planned, rule })
    ? 'slipped'
    : verdictOf(own, compared, facts.parent, rule)
  if (verdict !== null) return { ...NOTHING_SAID, verdict, ...ratios }
  // A short stretch may say that no number of runs would do, where all of before says how many.
  const ofAll = () => missingRuns({ before, after }, plannedNow(facts.plan, before, rule), rule)
  const missing = missingRuns(compared, planned, rule) || (control?.kind === 'latest_stretch' ? ofAll() : 0)
  if (missing <= 0) return { ...NOTHING_SAID, reason: 'inconclusive', ...ratios }
  return { ...NOTHING_SAID, reason: 'insufficient_traffic', detail: needs(missing), ...ratios, runsNeeded: missing }
}

const needs = (runs: number) => `${runs} more ${runs === 1 ? 'run' : 'runs'} after the change would probably show it`

const NOTHING_SAID: Judgement = {
  ...{ verdict: 'refused', reason: null, detail: null, ratio: null, controlRatio: null, runsNeeded: null },
}

function verdictOf(ratio: RateRatio, compared: Compared, parent: Compared | null, rule: VerdictRule): Verdict | null {
  const { delta } = rule
  if (isBelow(ratio, 1 - delta)) return hasMoved(compared, parent, rule) ? 'moved' : 'held'
  if (ratio.low > 1 + delta) return 'worse'
  return ratio.low >= 1 - delta && ratio.high !== null && ratio.high <= 1 + delta ? 'unchanged' : null
}

const IDLE = 'what had failed before did not run after the change'

/** Other operations ran, but none that had failed, and these did not fail either. */
function isIdle({ before, control }: VerdictFacts, compared: Compared): boolean {
  if (compared.after.runs === 0) return true
  return (
    control !== null &&
    before.failures > 0 &&
    control.kind === 'same_operations' &&
    compared.before.failures === 0 &&
    compared.after.failures === 0
  )
}

function refuse({ before, after, serviceRunsAfter, oldVersionRunsAfter, sampling }: VerdictFacts): RefusalReason | null {
  if (after.runs === 0 && oldVersionRunsAfter > 0) return 'still_on_old_version'
  if (after.runs === 0) return serviceRunsAfter > 0 ? 'path_not_exercised' : 'no_data'
  if (before.runs === 0) return 'no_data'
  if (before.failures === 0 && after.failures === 0) return 'no_data'
  return hasSamplingChanged(sampling.before, sampling.after) ? 'sampling_changed' : null
}

/** What comes late of before says nothing of after: it may move the last look, else what arrived by chance at first would bind. */
function plannedNow(plan: PlannedRuns | null, before: Traffic, rule: VerdictRule): PlannedRuns {
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

interface Planning {
  compared: Compared
  planned: PlannedRuns
  rule: VerdictRule
}

function tooFewWindows(side: keyof Compared, { compared, planned, rule }: Planning): Judgement {
  const why = `fewer than ${WINDOWS_MIN} windows with runs ${side} the change (minutes; hours where runs are slow or dear): failures of one moment cannot be told from a rate`
  const missing = fewestRuns(compared, planned, rule) ?? Math.ceil(planned.minimumRuns - compared.after.runs)
  const runsNeeded = Math.max(missing, WINDOWS_MIN - compared.after.windows.length, 1)
  const detail = side === 'before' ? why : `${why}; ${needs(runsNeeded)}`
  return { ...NOTHING_SAID, reason: 'insufficient_traffic', detail, runsNeeded }
}

/** What had held until then has been above it since. */
function hasSlipped(rise: VerdictFacts['rise'], comparedBefore: Traffic, { planned, rule }: Omit<Planning, 'compared'>): boolean {
  const before = rise?.replaced ?? comparedBefore
  if (!rise || hasFewWindows(before) || before.failures === 0 || hasFewWindows(rise.held) || hasFewWindows(rise.since))
    return false
  const hadHeld = isBelow(ratioOf(before, rise.held, rule, planned), 1 - rule.delta)
  return hadHeld && ratioOf(rise.held, rise.since, rule).low > 1 + rule.delta
}

/** Share of a fall that others gained, from which on the failures have only changed their words. */
const MOVED_SHARE = 0.5

/** The parent key did not fall, and what the pain lost its siblings gained: others that fail as they always did hide no fix. */
function hasMoved({ before, after }: Compared, parent: Compared | null, rule: VerdictRule): boolean {
  if (!parent || isBelow(ratioOf(parent.before, parent.after, rule), 1 - rule.delta)) return false
  const rate = ({ failures, runs }: Traffic) => failures / runs
  const lost = rate(before) - rate(after)
  const gained = rate(parent.after) - rate(after) - (rate(parent.before) - rate(before))
  return gained >= MOVED_SHARE * lost
}

function isBelow({ high }: RateRatio, bound: number): boolean {
  return high !== null && high < bound
}

function ratioOf(before: Traffic, after: Traffic, rule: VerdictRule, planned = planOf(before, rule)): RateRatio {
  return lookAt(before, after, { plannedRuns: planned.lastLookRuns, alpha: rule.alpha }).ratio
}

/** Runs that are missing after the change: until a stop of the failures would show, or until a fall by half probably would. */
function missingRuns(compared: Compared, planned: PlannedRuns, rule: VerdictRule): number {
  const { before, after } = compared
  // As if the next run before had failed: of none at all no number would follow.
  if (before.failures === 0) return Math.max(0, planRuns({ ...before, failures: 1, failuresSquared: 1 }, rule.delta) - after.runs)
  return Math.max(
    fewestRuns(compared, planned, rule) ?? 0,
    Math.ceil(planned.minimumRuns - after.runs),
    runsStillNeeded(before, after, rule.delta),
  )
}

/** Runs without one more failure after which the verdict would be held; null where no number up to the planned ones would do. */
function fewestRuns({ before, after }: Compared, planned: PlannedRuns, rule: VerdictRule): number | null {
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
