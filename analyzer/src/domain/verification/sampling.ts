import { rateRatio } from '../statistics/rate-ratio.ts'

/** What the records of one side say of how they were sampled. */
export interface SampledTraffic {
  /** Records of the judged operations as they came, and what they stand for. */
  spans: number
  runs: number
  /** Failures of any kind among them. */
  failures: number
  /** Minutes in which something ran. */
  minutes: number
}

/** Traffic without a word on sampling that changes so much may have been sampled otherwise. */
const JUMP = 3
/** With weights on one side alone the other should show as many runs, but for the ups and downs of traffic. */
const JUMP_HALF_KNOWN = 2
/** Failures a minute count as equal up to this factor, with so many on each side. */
const STEADY = 1.25
const FAILURES_MIN = 20
const STEADY_ALPHA = 0.05
/** Weights that are no more than rounding. */
const WEIGHTED_MIN = 1.01

/**
 * Whether what came after was sampled otherwise than what came before, as far as nobody can correct it. Where both sides carry
 * weights those correct it. Where one side alone does, healthy traffic must be about the same. Where none does, a sampler that keeps
 * every failure shows in this: as many failures a minute as before among many times more, or fewer, healthy runs.
 */
export function hasSamplingChanged(before: SampledTraffic, after: SampledTraffic): boolean {
  if (before.spans === 0 || after.spans === 0) return false
  const isKnown = [before, after].map(({ spans, runs }) => runs > spans * WEIGHTED_MIN)
  if (isKnown[0] && isKnown[1]) return false
  const jump = healthyPerMinute(after) / healthyPerMinute(before)
  if (isKnown[0] !== isKnown[1]) return isBeyond(jump, JUMP_HALF_KNOWN)
  return isBeyond(jump, JUMP) && areFailuresSteady(before, after)
}

function healthyPerMinute({ runs, failures, minutes }: SampledTraffic): number {
  return Math.max(0, runs - failures) / minutes
}

function isBeyond(factor: number, bound: number): boolean {
  return !(factor > 1 / bound && factor < bound)
}

function areFailuresSteady(before: SampledTraffic, after: SampledTraffic): boolean {
  if (Math.min(before.failures, after.failures) < FAILURES_MIN) return false
  const perMinute = ({ failures, minutes }: SampledTraffic) => ({ failures, runs: minutes })
  const { value, low, high } = rateRatio(perMinute(before), perMinute(after), STEADY_ALPHA)
  return value !== null && !isBeyond(value, STEADY) && low <= 1 && high !== null && high >= 1
}
