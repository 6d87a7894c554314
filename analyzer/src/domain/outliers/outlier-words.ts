import type { Measure } from '@loopkit/shared/rollup/sketch-delta'
import type { Quantiles, Spell } from './judge-outliers.ts'

/** What a pain of slow or dear runs says of them. Values in the measure's unit: ms, tokens, millionths of a US dollar. */
export interface OutlierFacts {
  measure: Measure
  /** Runs beyond the threshold by day of event. */
  days: { day: string; failures: number }[]
  /** Runs beyond the threshold and all of them, in the hours that were out of the usual. */
  beyond: number
  runs: number
  /** Of the hour with most of them. */
  threshold: number
  usual: Quantiles
  now: Quantiles
  basis: Spell['basis']
  learntFrom: number
}

const VERB: Record<Measure, string> = { latency: 'took more than', tokens: 'used more than', cost: 'cost more than' }
const BASIS: Record<Spell['basis'], (runs: number) => string> = {
  history: (runs) => `more of them than in any hour or day before, judged by ${runs} earlier runs`,
  distribution: (runs) => `they stand apart from all others of ${runs} runs, without a history to judge by`,
}

/** One sentence: how many, beyond what, and what is usual. */
export function outlierSentence({ measure, beyond, runs, threshold, usual }: OutlierFacts): string {
  return `${beyond} of ${runs} runs ${VERB[measure]} ${showValue(measure, threshold)}; usual are ${showQuantiles(measure, usual)}`
}

export function outlierBecause({ basis, learntFrom, now, measure }: OutlierFacts): string {
  return `${BASIS[basis](learntFrom)}; now ${showQuantiles(measure, now)}`
}

/** As `/why` shows them. */
export function outlierSteps(facts: OutlierFacts): { step: string; value: string }[] {
  const { measure, beyond, runs, threshold, usual, now, basis, learntFrom } = facts
  return [
    { step: 'measure', value: measure },
    { step: 'usual', value: showQuantiles(measure, usual) },
    { step: 'now', value: showQuantiles(measure, now) },
    { step: 'threshold', value: showValue(measure, threshold) },
    { step: 'beyond', value: `${beyond} of ${runs} runs` },
    { step: 'learnt from', value: `${learntFrom} runs (${basis})` },
  ]
}

export function showQuantiles(measure: Measure, [p50, p90, p99]: Quantiles): string {
  return `p50 ${showValue(measure, p50)}, p90 ${showValue(measure, p90)}, p99 ${showValue(measure, p99)}`
}

export function showValue(measure: Measure, value: number): string {
  if (measure === 'tokens') return `${Number(value.toPrecision(3))} tokens`
  if (measure === 'cost') return `$${Number((value / 1e6).toPrecision(3))}`
  return value < 1000 ? `${Math.round(value)} ms` : `${Number((value / 1000).toPrecision(3))} s`
}
