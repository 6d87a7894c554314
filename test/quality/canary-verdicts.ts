import {
  type CanaryComparison,
  type CanaryRule,
  compareSamples,
  DEFAULT_CANARY_RULE,
} from '../../analyzer/src/domain/canary/compare-samples.ts'
import { locationShift } from '../../analyzer/src/domain/statistics/location-shift.ts'
import type { Measure } from './measure.ts'
import { NothingToMeasure, readJsonSet } from './read-set.ts'

interface CanaryCase {
  name: string
  arrays: Record<string, (number | null)[]>
  classifier: string | null
  params: string | null
  /** Baseline, canary, direction, what a missing value is, critical, required. */
  call: (string | null)[]
  asserts: string[]
}

const MEANS_CLASSIFIER = 'MeanInequalityClassifier'

/** Cases of a public suite for canary classifiers: is every word that it asserts ours too? */
export function measureCanaries(path: string): Measure {
  const cases = readJsonSet(path) as CanaryCase[]
  if (cases.length === 0) throw new NothingToMeasure('no case in it')
  const missed = cases.filter((one) => !isAsExpected(one))
  return {
    name: 'canary verdicts',
    published: 'suite passes',
    figures: [
      { name: `cases as expected, of ${cases.length}`, value: cases.length - missed.length, target: { atLeast: cases.length } },
    ],
    note: missed.length === 0 ? 'the suite of Kayenta’s classifiers' : `missed: ${missed.map(({ name }) => name).join('; ')}`,
  }
}

function isAsExpected(one: CanaryCase): boolean {
  const [baseline, canary] = samplesOf(one)
  // Without a classifier the case asks for the interval alone.
  if (one.classifier === null) {
    const { low, estimate, high } = locationShift(canary, baseline, DEFAULT_CANARY_RULE.confidence)
    return low <= estimate && estimate <= high
  }
  const comparison = compareSamples(baseline, canary, ruleOf(one))
  return one.asserts.every((text) => holds(text, comparison))
}

function samplesOf({ arrays }: CanaryCase): [number[], number[]] {
  const find = (word: string) => Object.entries(arrays).find(([name]) => name.startsWith(word))?.[1] ?? []
  const numbers = (values: (number | null)[]) => values.map((value) => value ?? Number.NaN)
  return [numbers(find('control')), numbers(find('experiment'))]
}

function ruleOf({ classifier, params, call }: CanaryCase): CanaryRule {
  const text = params ?? ''
  const number = (name: string) => Number(new RegExp(`${name}\\s*=\\s*([\\d.]+)`).exec(text)?.[1] ?? Number.NaN)
  const pair = (name: string): [number, number] | null => {
    const found = new RegExp(`${name}\\s*=\\s*\\(\\s*([\\d.]+)\\s*,\\s*([\\d.]+)`).exec(text)
    return found && [Number(found[1]), Number(found[2])]
  }
  const [, , direction, missing, critical, required] = call
  return {
    ...DEFAULT_CANARY_RULE,
    test: classifier === MEANS_CLASSIFIER ? 'means' : 'ranks',
    direction: (direction ?? 'either').toLowerCase() as CanaryRule['direction'],
    missing: missing === 'Replace' ? 'zero' : 'remove',
    isCritical: critical === 'true',
    isRequired: required === 'true',
    tolerance: number('tolerance') || DEFAULT_CANARY_RULE.tolerance,
    confidence: number('confLevel') || DEFAULT_CANARY_RULE.confidence,
    effect: text.includes('cles') ? 'common_language' : 'mean_ratio',
    effectBounds: pair('effectSizeThresholds') ?? DEFAULT_CANARY_RULE.effectBounds,
    criticalBounds: pair('criticalThresholds') ?? DEFAULT_CANARY_RULE.criticalBounds,
  }
}

/** An assertion that is not understood does not hold. */
function holds(text: string, comparison: CanaryComparison): boolean {
  const classed = /^result\.classification == (\w+)$/.exec(text)
  if (classed) return comparison.class === classed[1]!.toLowerCase()
  const deviation = /^result\.deviation == ([\d.]+)$/.exec(text)
  if (deviation) return comparison.deviation === Number(deviation[1])
  if (text === 'result.deviation.isNaN') return Number.isNaN(comparison.deviation)
  if (text === 'result.critical') return comparison.isCritical
  return text === '!result.critical' && !comparison.isCritical
}
