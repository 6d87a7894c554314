import type { PainFacts } from '../pain-facts.ts'
import type { TrendBasis } from './model.ts'

const BASIS: Record<TrendBasis, string> = {
  same_hours_of_earlier_weeks: 'the same hours of earlier weeks',
  same_hours_of_earlier_days: 'the same hours of earlier days',
  halves_of_the_window: 'the earlier half of the window, as there is no longer history',
}

/** How a pain goes, in words that belong into its why: whether it is new or back, and what its trend is told against. */
export function courseWords({ novelty }: Pick<PainFacts, 'novelty'>, basis: TrendBasis | null): string[] {
  return [
    ...(novelty === null ? [] : [noveltyWords(novelty)]),
    ...(basis === null ? [] : [`its trend is told against ${BASIS[basis]}`]),
  ]
}

function noveltyWords({ kind, sinceMs, quietRuns, quietHours }: NonNullable<PainFacts['novelty']>): string {
  const since = new Date(sinceMs).toISOString().slice(0, 13)
  return kind === 'first_seen'
    ? `first seen in the hour ${since}Z, after ${quietRuns} runs of the operation without it`
    : `back since the hour ${since}Z, after ${quietHours} quiet hours and ${quietRuns} runs without it`
}
