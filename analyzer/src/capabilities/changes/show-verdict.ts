import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { RateRatio } from '../../domain/statistics/rate-ratio.ts'
import type { Rise, Side } from '../../domain/verification/compare-sides.ts'
import type { ExposureAnswer } from '../../telemetry/exposure/answer-exposure.ts'
import type { Change } from './changes.queries.ts'
import type { FrozenPlan } from './plan.ts'
import { changePercent, INTERVAL_CONFIDENCE, type Judgement, testName } from './verdict.rules.ts'

export type VerdictAnswer = ReturnType<typeof showVerdict>

const MINUTE_MS = 60_000
const NO_SIDE = { failures: 0, runs: 0, fromMinute: null, toMinute: null }

export function showVerdict(
  { verdict, reason, detail, ratio, controlRatio, runsNeeded }: Judgement,
  { exposure, change, plan }: { exposure: ExposureAnswer; change: Change; plan: FrozenPlan },
) {
  const { before, after, control, rise, versions } = exposure
  return {
    verdict,
    reason,
    detail: verdict === 'slipped' && rise ? slippedDetail(rise) : detail,
    runs_needed: runsNeeded,
    before: showSide(before),
    after: showSide(after),
    ratio: showRatio(ratio),
    change_percent: changePercent(before, after),
    control: control && { kind: control.kind, ...showSide(control.before), ratio: showRatio(controlRatio) },
    test: testName(control?.kind ?? null),
    confidence: INTERVAL_CONFIDENCE,
    versions,
    change_id: change.changeId as string | null,
    pain_id: plan.painId === '' ? null : plan.painId,
    plan: showPlan(plan) as ReturnType<typeof showPlan> | null,
  }
}

function showRatio(ratio: RateRatio | null) {
  return ratio ? { value: ratio.value, low: ratio.low, high: ratio.high } : { value: null, low: null, high: null }
}

function slippedDetail({ held, since, replaced }: Rise): string {
  const beganMs = (since.fromMinute ?? 0) * MINUTE_MS
  const counts = ({ failures, runs }: Side) => `${round(failures)} of ${round(runs)} runs failed`
  const why = replaced ? ', when the version before it came back' : ''
  return `held until ${msToIso(beganMs)}${why}: ${counts(held)} until then, ${counts(since)} since`
}

const round = (count: number) => Math.round(count * 100) / 100

/** The plan as answers show it. */
export function showPlan({ painId, planDigest, frozenAtMs, metric, planned, windowHours, fromMinute }: FrozenPlan) {
  return {
    pain_id: painId === '' ? null : painId,
    plan_digest: planDigest,
    frozen_at: msToIso(frozenAtMs),
    metric,
    minimum_runs: planned?.minimumRuns ?? null,
    window_hours: windowHours,
    from: msToIso(fromMinute * MINUTE_MS),
  }
}

export function showUnjudged(painId: string): VerdictAnswer {
  return {
    verdict: 'refused',
    reason: 'no_data',
    detail: 'no change is known that could be judged: announce one with POST /v1/changes',
    runs_needed: null,
    before: showSide(NO_SIDE),
    after: showSide(NO_SIDE),
    ratio: showRatio(null),
    change_percent: null,
    control: null,
    test: testName(null),
    confidence: INTERVAL_CONFIDENCE,
    versions: [],
    change_id: null,
    pain_id: painId === '' ? null : painId,
    plan: null,
  }
}

function showSide({ failures, runs, fromMinute, toMinute }: Pick<Side, 'failures' | 'runs' | 'fromMinute' | 'toMinute'>) {
  const window =
    fromMinute === null || toMinute === null
      ? null
      : { from: msToIso(fromMinute * MINUTE_MS), to: msToIso((toMinute + 1) * MINUTE_MS) }
  return { failures, runs, window }
}
