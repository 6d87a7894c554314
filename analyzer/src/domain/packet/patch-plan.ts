import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { digestOf } from '../opaque-id.ts'
import { failuresOf, type PainReading } from '../pain-facts.ts'
import { runsToShowFall } from '../statistics/rate-ratio.ts'
import { oneLine } from '../untrusted-text.ts'
import type { PatchPlan } from './model.ts'

/** What usually mends a kind of trouble, as steps for whoever opens the code. */
const REMEDY: Partial<Record<SignalType, string>> = {
  exception: 'Handle the case that raises the exception, or refuse the input that leads to it before this point',
  error_status: 'Find what sets the error status and handle its cause where the request enters',
  tool_failure:
    'Compare the arguments that the tool was called with to what it takes; correct the schema, the prompt or the tool',
  llm_error: 'Check the request to the model against its limits (context, parameters, model name) and handle the refusal',
  timeout: 'Find what the time went on in the trace; bound the work or raise the limit with a reason',
  rate_limited: 'Lower the rate of calls, honour Retry-After, or ask for a larger quota',
  auth_failure: 'Check which credential this call uses, whether it is current and what it may do',
  dependency_failure: 'Read the callee’s own records for the same traces; bound the call and handle its failure here',
}
const DEFAULT_REMEDY = 'Find the first step of the evidence that differs from a healthy run and correct it'
/** Sessions or services from which a change here is read twice. */
const WIDE_SESSIONS = 10
const WIDE_SERVICES = 3

export interface VerifyRule {
  /** Half width of what counts as unchanged: a fall must go below 1 minus this. */
  delta: number
  alpha: number
  windowMinutes: number
}

/** A plan made from what was measured: where, what to look at, and how much traffic will tell whether it worked. */
export function patchPlanOf(reading: PainReading, painId: string, rule: VerifyRule): PatchPlan {
  const { facts, detail } = reading
  const [frame] = detail.frames
  const place = frame
    ? `\`${oneLine(frame, 160)}\`, reached by ${facts.operation} of ${facts.service}`
    : `${facts.operation} of ${facts.service}`
  const kind = detail.errorType === null ? facts.signal : `${facts.signal} (${oneLine(detail.errorType, 80)})`
  const plan = {
    hypothesis: `${kind} has its origin in ${oneLine(place, 400)}; the records it passed through only carried it on`,
    targets: [{ service: facts.service, operation: facts.operation, frames: detail.frames }],
    steps: [
      'Read the first evidence record and its session with ?view=errors',
      'Reproduce it with the eval candidate',
      REMEDY[facts.signal] ?? DEFAULT_REMEDY,
      'Run the eval candidate against the change',
      `Ship, announce it with POST /v1/changes naming ${painId}, then POST /v1/runs/verify`,
    ],
    risk: riskOf(reading),
    verify: {
      metric: `failures of ${painId} per run of ${facts.operation} in ${facts.service}`,
      ...exposureNeeded(reading, rule),
    },
  }
  return { plan_digest: digestOf(JSON.stringify(plan)), ...plan }
}

function riskOf({ facts, detail }: PainReading): PatchPlan['risk'] {
  if (detail.services.length >= WIDE_SERVICES) return 'high'
  return facts.sessions >= WIDE_SESSIONS || detail.services.length > 1 ? 'medium' : 'low'
}

/** Runs without one failure that would show the fall, and the hours that the window's own traffic takes to bring them. */
function exposureNeeded(
  { facts }: PainReading,
  { delta, alpha, windowMinutes }: VerifyRule,
): Omit<PatchPlan['verify'], 'metric'> {
  const runs = runsToShowFall({ failures: failuresOf(facts), runs: facts.runs }, 1 - delta, alpha)
  if (runs === null) return { minimum_runs: null, window_hours: null }
  return { minimum_runs: runs, window_hours: Math.max(1, Math.ceil((runs * windowMinutes) / facts.runs / 60)) }
}
