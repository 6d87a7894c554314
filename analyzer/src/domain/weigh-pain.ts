import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Severity, Trend, TrendBasis } from './packet/model.ts'
import { failuresOf, type PainFacts } from './pain-facts.ts'
import { proportionInterval } from './statistics/beta.ts'
import { gammaQuantile } from './statistics/gamma.ts'
import { deviateOf } from './trend/hourly-series.ts'
import type { Novelty } from './trend/novelty.ts'

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
/** Those of which it is known where they ended their run. */
const RUN_ENDING_HINTS: ReadonlySet<SignalType> = new Set<SignalType>(['truncated_output', 'refusal'])
/** What a service lives with when it can: a try before one that works, an exception that was expected, an optional part of a page. */
const SURVIVABLE_SIGNALS: ReadonlySet<SignalType> = new Set<SignalType>([
  'exception',
  'error_status',
  'timeout',
  'rate_limited',
  'auth_failure',
  'dependency_failure',
  'retry_storm',
])
/** Work of agents: its runs end well by their status, whatever became of a step. */
const AGENT_WORK = /^(?:execute_tool|chat|text_completion|generate_content|completion|responses|embeddings?|invoke_agent)\b/
/** Sessions from which a pain counts as wide. */
const WIDE_SESSIONS = 10
/** Share of the operation's runs from which a hint counts as wide: once in a while it is how things go. */
const HINT_SHARE = 0.1
/** Share of the operation's runs from which a pain counts as deep, and the runs that such a share must rest on. */
const DEEP_SHARE = 0.5
const DEEP_RUNS_MIN = 20
/** Chance left outside the share's interval: 5 % below it. */
const SHARE_ALPHA = 0.1

/**
 * Starts at medium (low for signals that only hint) and rises one step when at least 10 sessions met it (a hint: in a tenth of the runs), and one more when with
 * 95 % certainty at least half of 20 or more runs of the operation failed. What every run survived starts at low, however many met it.
 */
export function severityOf(facts: PainFacts): Severity {
  const survived = isSurvived(facts)
  const isHint = LOW_SIGNALS.has(facts.signal) && !(facts.ended > 0 && RUN_ENDING_HINTS.has(facts.signal))
  const base = isHint || survived ? 0 : 1
  const isOften = !isHint || failuresOf(facts) >= HINT_SHARE * facts.runs
  const wide = facts.sessions >= WIDE_SESSIONS && isOften && !survived ? 1 : 0
  // The share is never below its lower bound, and mostly far below what is deep: that spares the bound.
  const mayBeDeep = facts.runs >= DEEP_RUNS_MIN && failuresOf(facts) >= DEEP_SHARE * facts.runs
  const deep = mayBeDeep && shareAtLeast(facts) >= DEEP_SHARE ? 1 : 0
  return STEPS[base + wide + deep] ?? 'critical'
}

function isSurvived({ signal, operation, ended }: PainFacts): boolean {
  return ended === 0 && SURVIVABLE_SIGNALS.has(signal) && !AGENT_WORK.test(operation)
}

function shareAtLeast(facts: PainFacts): number {
  const failures = Math.min(failuresOf(facts), facts.runs)
  return proportionInterval(failures, facts.runs, SHARE_ALPHA).low
}

const SEVERITY_WEIGHT: Record<Severity, number> = { low: 0.2, medium: 1, high: 1.5, critical: 2 }
/** The bound below which the true number of failures lies with a chance of 5 %. */
const LOWER_BOUND_CHANCE = 0.05
/** Jeffreys' prior for a Poisson rate. */
const PRIOR_SHAPE = 0.5

/** Steps of a usual run: a failure that ends its run costs all of them, one that the run survives costs a step. */
const RUN_STEPS = 8
/** What is new, or goes up, is likelier to have a cause that can still be named, and to get worse. */
const NOVELTY_WEIGHT: Record<Novelty['kind'], number> = { first_seen: 1, reappeared: 0.5 }
const TREND_WEIGHT: Record<Trend, number> = { new: 0.5, rising: 1, steady: 0, falling: -0.25 }

/**
 * What a pain weighs: the 5 % lower Gamma-Poisson bound of its failures, times its reach (sessions, traces), its severity, its cost (what
 * a failure takes with it), whether it is new and how it goes. Never the raw count alone: forty failures of one broken loop weigh less than thirty that met thirty
 * people. The window is the same for all, so a rate per day would order them alike.
 */
export function weightOf(facts: PainFacts, boundOf = lowerBound): number {
  const failures = failuresOf(facts)
  const bound = boundOf(failures + PRIOR_SHAPE)
  const reach = Math.log2(1 + Math.max(facts.sessions, facts.traces))
  const cost = 1 + (RUN_STEPS - 1) * Math.min(1, facts.ended / Math.max(1, failures))
  const trend = trendOf(facts)
  const going = 'trend' in trend ? TREND_WEIGHT[trend.trend] : 0
  const news = facts.novelty === null ? 0 : NOVELTY_WEIGHT[facts.novelty.kind]
  return bound * reach * SEVERITY_WEIGHT[severityOf(facts)] * cost * (1 + news) * (1 + going)
}

/** From here on Wilson and Hilferty's cube tells the bound within a thousandth, at no cost. */
const EXACT_BELOW = 100
const LOWER_BOUND_DEVIATES = 1.6449

function lowerBound(shape: number): number {
  if (shape < EXACT_BELOW) return gammaQuantile(LOWER_BOUND_CHANCE, shape)
  return shape * (1 - 1 / (9 * shape) - LOWER_BOUND_DEVIATES / (3 * Math.sqrt(shape))) ** 3
}

/** Many pains have as few failures as others. */
function createKnownBound(): (shape: number) => number {
  const known = new Map<number, number>()
  return (shape) => {
    const bound = known.get(shape) ?? lowerBound(shape)
    known.set(shape, bound)
    return bound
  }
}

/**
 * Heaviest first. Of pains that differ only in words or stack the heaviest stands for all: the second weighs half, the third a third,
 * since who mends the first looks at the same place. Ties go by what the pains say and only then by hash, so the order depends neither
 * on how they were read nor on the project.
 */
export function rankPains<P extends PainFacts>(pains: readonly P[]): P[] {
  const siblings = new Map<string, number>()
  const boundOf = createKnownBound()
  return pains
    .map((pain) => ({ pain, weight: weightOf(pain, boundOf) }))
    .sort(compareWeighed)
    .map(({ pain, weight }) => {
      const nth = (siblings.get(pain.parentKey) ?? 0) + 1
      siblings.set(pain.parentKey, nth)
      return { pain, weight: weight / nth }
    })
    .sort(compareWeighed)
    .map(({ pain }) => pain)
}

interface Weighed {
  pain: PainFacts
  weight: number
}

function compareWeighed(a: Weighed, b: Weighed): number {
  if (a.weight !== b.weight) return b.weight - a.weight
  const [left, right] = [toldBy(a.pain), toldBy(b.pain)]
  const at = left.findIndex((value, i) => value !== right[i])
  return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1
}

function toldBy({ service, operation, signal, firstEventMs, lastEventMs, fingerprint }: PainFacts): (string | number)[] {
  return [service, operation, signal, firstEventMs, lastEventMs, fingerprint]
}

/** Standard deviations that a trend takes where nothing but the window is known: chance alone brings them in 1 % of cases. */
const TREND_DEVIATES = 2.58
/** Fewest failures that a trend is read from. */
const TREND_FAILURES_MIN = 5

/**
 * How the pain goes: against the same hours of earlier weeks or days where there are enough of them, so that a nightly batch is no rise;
 * else between the two halves of the window's traffic, by event time; or why nothing can be said.
 */
export function trendOf(facts: PainFacts): { trend: Trend; basis: TrendBasis } | { reason: string } {
  const { earlier, later, season, novelty } = facts
  const isFew = earlier.failures + later.failures < TREND_FAILURES_MIN
  const isNew = (before: number) => before === 0 && facts.firstSeenMs >= facts.firstEventMs
  if (season !== null) {
    if (isFew && season.trend !== 'falling') return { reason: 'too_few_failures' }
    const isFirst = season.trend === 'rising' && novelty?.kind === 'first_seen'
    return { trend: isFirst ? 'new' : season.trend, basis: season.season }
  }
  if (earlier.runs === 0 || later.runs === 0) return { reason: 'no_earlier_traffic' }
  if (isFew) return { reason: 'too_few_failures' }
  const deviate = deviateOf(earlier, later)
  const basis = 'halves_of_the_window'
  if (deviate > TREND_DEVIATES) return { trend: isNew(earlier.failures) ? 'new' : 'rising', basis }
  return { trend: deviate < -TREND_DEVIATES ? 'falling' : 'steady', basis }
}
