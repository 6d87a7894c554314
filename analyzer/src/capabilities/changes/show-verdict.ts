import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { ExposureAnswer, Side } from '../../telemetry/answer-exposure.ts'
import type { Change } from './changes.queries.ts'
import type { FrozenPlan } from './plan.ts'
import { changePercent, type Judgement, VERDICT_TEST, type VerdictRule } from './verdict.rules.ts'

export type VerdictAnswer = ReturnType<typeof showVerdict>

const MINUTE_MS = 60_000
const NO_SIDE = { failures: 0, runs: 0, fromMinute: null, toMinute: null }

export function showVerdict(
  { verdict, reason, detail, ratio, runsNeeded }: Judgement,
  { exposure, change, plan }: { exposure: ExposureAnswer; change: Change; plan: FrozenPlan },
) {
  const { before, after, versions } = exposure
  return {
    verdict,
    reason,
    detail,
    runs_needed: runsNeeded,
    before: showSide(before),
    after: showSide(after),
    ratio: ratio ? { value: ratio.value, low: ratio.low, high: ratio.high } : { value: null, low: null, high: null },
    change_percent: changePercent(before, after),
    test: VERDICT_TEST,
    confidence: 1 - plan.rule.alpha,
    versions,
    change_id: change.changeId as string | null,
    pain_id: plan.painId === '' ? null : plan.painId,
    plan: showPlan(plan) as ReturnType<typeof showPlan> | null,
  }
}

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

export function showUnjudged(painId: string, { alpha }: VerdictRule): VerdictAnswer {
  return {
    verdict: 'refused',
    reason: 'no_data',
    detail: 'no change is known that could be judged: announce one with POST /v1/changes',
    runs_needed: null,
    before: showSide(NO_SIDE),
    after: showSide(NO_SIDE),
    ratio: { value: null, low: null, high: null },
    change_percent: null,
    test: VERDICT_TEST,
    confidence: 1 - alpha,
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
