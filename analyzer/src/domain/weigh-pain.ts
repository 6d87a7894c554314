import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Severity, Trend } from './packet/model.ts'
import { failuresOf, type PainFacts } from './pain-facts.ts'
import { proportionInterval } from './statistics/beta.ts'
import { gammaQuantile } from './statistics/gamma.ts'
import { rateRatio } from './statistics/rate-ratio.ts'

const STEPS: readonly Severity[] = ['low', 'medium', 'high', 'critical']
const LOW_SIGNALS: ReadonlySet<SignalType> = new Set<SignalType>([
  'repeated_step',
  'empty_output',
  'truncated_output',
  'refusal',
  'orphan_tool_call',
  'slow',
  'cost_outlier',
  'negative_feedback',
  'incomplete',
])
/** Sessions from which a pain counts as wide. */
const WIDE_SESSIONS = 10
/** Share of the operation's runs from which a pain counts as deep, and the runs that such a share must rest on. */
const DEEP_SHARE = 0.5
const DEEP_RUNS_MIN = 20
/** Chance left outside the share's interval: 5 % below it. */
const SHARE_ALPHA = 0.1

/**
 * Starts at medium (low for signals that only hint) and rises one step when at least 10 sessions met it, and one more when with
 * 95 % certainty at least half of 20 or more runs of the operation failed.
 */
export function severityOf(facts: PainFacts): Severity {
  const base = LOW_SIGNALS.has(facts.signal) ? 0 : 1
  const wide = facts.sessions >= WIDE_SESSIONS ? 1 : 0
  const deep = facts.runs >= DEEP_RUNS_MIN && shareAtLeast(facts) >= DEEP_SHARE ? 1 : 0
  return STEPS[base + wide + deep] ?? 'critical'
}

function shareAtLeast(facts: PainFacts): number {
  const failures = Math.min(failuresOf(facts), facts.runs)
  return proportionInterval(failures, facts.runs, SHARE_ALPHA).low
}

const SEVERITY_WEIGHT: Record<Severity, number> = { low: 0.3, medium: 1, high: 1.5, critical: 2 }
/** The bound below which the true number of failures lies with a chance of 5 %. */
const LOWER_BOUND_CHANCE = 0.05
/** Jeffreys' prior for a Poisson rate. */
const PRIOR_SHAPE = 0.5

/**
 * What a pain weighs: the 5 % lower Gamma-Poisson bound of its failures, times its reach (sessions, traces), times its severity.
 * Never the raw count alone: forty failures of one broken loop weigh less than thirty that met thirty people.
 */
export function weightOf(facts: PainFacts): number {
  const bound = gammaQuantile(LOWER_BOUND_CHANCE, failuresOf(facts) + PRIOR_SHAPE)
  const reach = Math.log2(1 + Math.max(facts.sessions, facts.traces))
  return bound * reach * SEVERITY_WEIGHT[severityOf(facts)]
}

/** Heaviest first; ties go by fingerprint, so the order never depends on how the pains were read. */
export function rankPains<P extends PainFacts>(pains: readonly P[]): P[] {
  return pains
    .map((pain) => ({ pain, weight: weightOf(pain) }))
    .sort((a, b) => b.weight - a.weight || (a.pain.fingerprint < b.pain.fingerprint ? -1 : 1))
    .map(({ pain }) => pain)
}

/** Chance left outside the interval of the trend. */
const TREND_ALPHA = 0.1
/** Fewest failures that a trend is read from. */
const TREND_FAILURES_MIN = 5

/** The trend by event time between the two halves of the window's traffic, or why none can be said. */
export function trendOf(facts: PainFacts): { trend: Trend } | { reason: string } {
  const { earlier, later } = facts
  if (earlier.runs === 0 || later.runs === 0) return { reason: 'no_earlier_traffic' }
  if (earlier.failures + later.failures < TREND_FAILURES_MIN) return { reason: 'too_few_failures' }
  const { low, high } = rateRatio(earlier, later, TREND_ALPHA)
  if (low > 1) return { trend: earlier.failures === 0 && facts.firstSeenMs >= facts.firstEventMs ? 'new' : 'rising' }
  return { trend: high !== null && high < 1 ? 'falling' : 'steady' }
}
