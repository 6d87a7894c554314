import { rateRatio } from '../statistics/rate-ratio.ts'

/** What the records of one side say of how they were sampled. */
export interface SampledTraffic {
  /** Records of the judged operations as they came, and what they stand for. */
  spans: number
  runs: number
  /** Failures of any kind among them. */
  failures: number
  /** Time in which something ran, as `activeMinutes` counts it. */
  minutes: number
}

/** Records of one minute. */
export interface MinuteOfSpans {
  minute: number
  spans: number
}

/** Stretches that time is counted in, in minutes; the shortest in which both sides have this many records each, on average. */
const STRETCHES = [1, 10, 60, 360, 1440]
const SPANS_PER_STRETCH_MIN = 10

/**
 * How long each side ran: the stretches of time in which it did, so that nights and gaps do not count. Stretches grow where records are
 * few: of one record an hour each minute that has it would look like a minute of full traffic, however many a sampler had dropped.
 */
export function activeMinutes(sides: readonly (readonly MinuteOfSpans[])[]): number[] {
  const sums = sides.map((side) => side.reduce((sum, { spans }) => sum + spans, 0))
  for (const length of STRETCHES) {
    const stretches = sides.map((side) => new Set(side.map(({ minute }) => Math.floor(minute / length))).size)
    const isDense = stretches.every((count, at) => sums[at]! >= count * SPANS_PER_STRETCH_MIN)
    if (isDense || length === STRETCHES.at(-1)) return sides.map((side, at) => Math.min(stretches[at]! * length, extentOf(side)))
  }
  return sides.map(extentOf)
}

function extentOf(side: readonly MinuteOfSpans[]): number {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { minute } of side) {
    first = Math.min(first, minute)
    last = Math.max(last, minute)
  }
  return side.length === 0 ? 0 : last - first + 1
}

/** Traffic without a word on sampling that changes so much may have been sampled otherwise. */
const JUMP = 3
/** With weights on one side alone the other should show as many runs, but for the ups and downs of traffic. */
const JUMP_HALF_KNOWN = 2
/** Failures a minute count as equal up to this factor, with so many on each side. */
const STEADY = 1.5
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
