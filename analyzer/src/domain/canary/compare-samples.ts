import { type LocationShift, locationShift } from '../statistics/location-shift.ts'
import { mannWhitneyTest } from '../statistics/rank-tests.ts'

/** What a metric of a canary is against its baseline. */
export type CanaryClass = 'pass' | 'high' | 'low' | 'nodata'

export interface CanaryRule {
  /** By ranks, or by nothing but the means. */
  test: 'ranks' | 'means'
  /** Which way hurts. */
  direction: 'increase' | 'decrease' | 'either'
  /** What a NaN is: a value that is missing, or none at all, which counts as zero. */
  missing: 'remove' | 'zero'
  /** Without values on a side the comparison fails. */
  isRequired: boolean
  /** The metric is one that alone may stop a release. */
  isCritical: boolean
  /** Share of the shift that its interval must leave between itself and zero. */
  tolerance: number
  confidence: number
  effect: 'mean_ratio' | 'common_language'
  /** Effects at which a shift counts: at most the first for low, at least the second for high. */
  effectBounds: readonly [number, number]
  /** The same for stopping a release. */
  criticalBounds: readonly [number, number]
}

export interface CanaryComparison {
  class: CanaryClass
  isCritical: boolean
  /** The effect: 1 where both sides are alike, NaN where a mean is not above zero and there is no ratio. */
  deviation: number
}

export const DEFAULT_CANARY_RULE: CanaryRule = {
  test: 'ranks',
  direction: 'either',
  missing: 'remove',
  isRequired: false,
  isCritical: false,
  tolerance: 0.25,
  confidence: 0.95,
  effect: 'mean_ratio',
  effectBounds: [1, 1],
  criticalBounds: [1, 1],
}

/**
 * Whether a metric of a canary lies above or below that of its baseline: a shift that its interval keeps away from zero, in a direction
 * that hurts, with an effect that is large enough. An effect that cannot be told, since a mean is not above zero, hinders nothing.
 */
export function compareSamples(baseline: readonly number[], canary: readonly number[], rule: CanaryRule): CanaryComparison {
  const before = cleanOf(baseline, rule)
  const after = cleanOf(canary, rule)
  if (before.length === 0 || after.length === 0) {
    const isPassed = rule.missing === 'zero'
    return { class: isPassed ? 'pass' : 'nodata', isCritical: !isPassed && rule.isRequired, deviation: 1 }
  }
  if (holdSame(before, after)) return { class: 'pass', isCritical: false, deviation: 1 }
  const deviation = effectOf(before, after, rule)
  const side =
    rule.test === 'means' ? sideOfMeans(before, after) : sideOfShift(locationShift(after, before, rule.confidence), rule)
  if (side === null || !hurts(side, rule)) return { class: 'pass', isCritical: false, deviation }
  if (rule.isCritical && isBeyond(side, deviation, rule.criticalBounds)) return { class: side, isCritical: true, deviation }
  const isLarge = rule.test === 'means' || isBeyond(side, deviation, rule.effectBounds)
  return { class: isLarge ? side : 'pass', isCritical: false, deviation }
}

type Side = 'high' | 'low'

function cleanOf(values: readonly number[], { missing }: CanaryRule): number[] {
  return missing === 'zero'
    ? values.map((value) => (Number.isNaN(value) ? 0 : value))
    : values.filter((value) => !Number.isNaN(value))
}

function holdSame(first: readonly number[], second: readonly number[]): boolean {
  if (new Set([...first, ...second]).size === 1) return true
  if (first.length !== second.length) return false
  const [a, b] = [Float64Array.from(first).sort(), Float64Array.from(second).sort()]
  return a.every((value, at) => value === b[at])
}

function sideOfShift({ estimate, low, high }: LocationShift, { tolerance }: CanaryRule): Side | null {
  const least = tolerance * Math.abs(estimate)
  if (low > least) return 'high'
  return high < -least ? 'low' : null
}

function sideOfMeans(before: readonly number[], after: readonly number[]): Side | null {
  const [old, now] = [meanOf(before), meanOf(after)]
  if (now === old) return null
  return now > old ? 'high' : 'low'
}

function hurts(side: Side, { direction }: CanaryRule): boolean {
  return direction === 'either' || (direction === 'increase') === (side === 'high')
}

function isBeyond(side: Side, effect: number, [low, high]: readonly [number, number]): boolean {
  if (Number.isNaN(effect)) return true
  return side === 'high' ? effect >= high : effect <= low
}

/** The ratio of the means, which is none where one is not above zero; or the chance that a value of the canary is the larger one of a pair. */
function effectOf(before: readonly number[], after: readonly number[], { effect }: CanaryRule): number {
  if (effect === 'common_language') return mannWhitneyTest(after, before).u / (after.length * before.length)
  const [old, now] = [meanOf(before), meanOf(after)]
  return old > 0 && now > 0 ? now / old : Number.NaN
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
