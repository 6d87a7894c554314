import { digestOf } from '../../domain/opaque-id.ts'
import type { Side } from '../../domain/verification/compare-sides.ts'
import { windowOfLast } from '../../domain/window.ts'
import type { ExposureAnswer } from '../../telemetry/exposure/answer-exposure.ts'
import { ReadRefused } from '../../telemetry/read-pool.ts'
import type { Change } from './changes.queries.ts'
import type { ChangesDeps, Owner } from './changes-deps.ts'
import { type PlannedRuns, planOf, type VerdictRule } from './verdict.rules.ts'

/**
 * How a change is judged for one pain, settled when the change is recorded. Whatever is merged, split, muted or named otherwise
 * afterwards, and however settings change, the question stays the one that was asked.
 */
export interface FrozenPlan {
  /** '' where a whole service is judged. */
  painId: string
  frozenAtMs: number
  planDigest: string
  /** Hex; null for all failures of the service, or of the project. */
  fingerprints: readonly string[] | null
  /** Hex: the same failures whatever their words. */
  parentKeys: readonly string[]
  service: string | null
  metric: string
  rule: VerdictRule
  /** First minute of arrival that counts as before. */
  fromMinute: number
  /** null where nothing had failed before: then it is planned when something has. */
  planned: PlannedRuns | null
  /** Hours that the runs take at the pace of before. */
  windowHours: number | null
}

/** What is to be judged. */
export interface PlanSubject {
  painId: string
  fingerprints: readonly string[] | null
  service: string | null
}

/** Traffic before a change that is compared with what comes after it, at most: thirty days. */
export const BASELINE_MINUTES = 43_200
const HOUR_MINUTES = 60

/** Makes plans of what is known now, of all pains in one look. Telemetry that cannot be read just now does not hinder a change from being recorded. */
export function createFreeze({ ask, nowMs, readPainView, verifyRule }: ChangesDeps & { verifyRule: VerdictRule }) {
  return async ({ projectNo, projectId }: Owner, change: Change, subjects: readonly PlanSubject[]): Promise<FrozenPlan[]> => {
    if (subjects.length === 0) return []
    const frozenAtMs = nowMs()
    const window = windowOfLast(BASELINE_MINUTES, frozenAtMs)
    const { service, version, kind, shippedAtMs } = change
    const exposures = await ask('exposures', {
      ...{ projectNo, projectId, window },
      subjects: subjects.map((subject) => ({ fingerprints: subject.fingerprints, service: subject.service })),
      rules: readPainView(projectNo).rules,
      change: { service, version, isRelease: kind === 'release', shippedAtMs },
    }).catch(orNothing)
    return subjects.map((subject, at) => {
      const exposure = exposures?.[at] ?? null
      const plan = {
        fingerprints: subject.fingerprints,
        parentKeys: exposure?.parentKeys ?? [],
        service: subject.service,
        metric: metricOf(subject),
        rule: verifyRule,
        fromMinute: window.fromMinute,
        ...exposureOf(exposure, verifyRule),
      }
      const planDigest = digestOf(projectId, change.changeId, subject.painId, JSON.stringify(plan))
      return { painId: subject.painId, frozenAtMs, planDigest, ...plan }
    })
  }
}

/** Of a question that telemetry has no time for. */
export function orNothing(error: unknown): null {
  if (error instanceof ReadRefused) return null
  throw error
}

function metricOf({ painId, service }: PlanSubject): string {
  const what = painId === '' ? 'failures of any kind' : `failures of ${painId}`
  return `${what} per run of the same operation${service === null ? '' : ` in ${service}`}`
}

function exposureOf(exposure: ExposureAnswer | null, rule: VerdictRule): Pick<FrozenPlan, 'planned' | 'windowHours'> {
  const before = exposure?.control?.before ?? exposure?.before
  if (!before || exposure?.isRegrouped || before.failures === 0 || before.runs === 0) return { planned: null, windowHours: null }
  const planned = planOf(before, rule)
  return { planned, windowHours: Math.ceil((planned.minimumRuns * minutesOf(before)) / before.runs / HOUR_MINUTES) }
}

function minutesOf({ fromMinute, toMinute }: Side): number {
  return fromMinute === null || toMinute === null ? 0 : toMinute - fromMinute + 1
}
