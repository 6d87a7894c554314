import { CAUSES, type Cause, type Circumstances, drawCircumstances, isUnder } from './circumstances.ts'
import { FAULT_CATALOGUE, type FaultSpec, isOutlierFault, type Scenario } from './fault-catalogue.ts'
import { intBetween, mulberry32, pick, type Random, shuffled } from './random.ts'

/** One trace to come: what it does, under which circumstances, and which fault, if any, strikes in it and because of what. */
export interface Visit {
  index: number
  scenario: Scenario
  circumstances: Circumstances
  faultId: string | null
  cause: Cause | null
}

/** Share of each scenario among the traces; they add up to 1. */
const SHARES: readonly [Scenario, number][] = [
  ['browse', 0.35],
  ['checkout', 0.25],
  ['support', 0.2],
  ['search', 0.08],
  ['review', 0.04],
  ['cancel', 0.04],
  ['wishlist', 0.04],
]
const HARD_FAULTS_MIN = 12
/** Fewest traces a fault is planted in: above the default threshold of a repeated pain. */
const TRACES_PER_FAULT_MIN = 4
const TRACES_PER_FAULT_MAX = 40
/** Fewer traces than this are too few to tell a cause from chance: such a fault strikes anywhere. */
const TRACES_PER_CAUSE_MIN = 10
/** Share of the faults that have no cause among the circumstances, so that nothing may be said to explain them. */
const CAUSELESS_SHARE = 0.2
/** Faults strike at most this share of a scenario's traces, so that a plan always leaves healthy ones beside them. */
const STRUCK_SHARE_MAX = 0.6

export interface TrafficOptions {
  seed: number
  traces: number
  faults: 'all' | 'none'
}

/**
 * Which traces there will be and where which faults strike. Pure: the same options give the same plan.
 * At least twelve hard faults, every hard signal of the catalogue among them, and the soft ones.
 */
export function planTraffic({ seed, traces, faults }: TrafficOptions): Visit[] {
  const random = mulberry32(seed)
  const visits = Array.from({ length: traces }, (_, index): Visit => {
    const [scenario, circumstances] = [drawScenario(random), drawCircumstances(random)]
    return { index, scenario, circumstances, faultId: null, cause: null }
  })
  if (faults === 'none') return visits
  const chosen = chooseFaults(random)
  for (const scenario of new Set(chosen.map((fault) => fault.scenario))) {
    strike(
      random,
      visits.filter((visit) => visit.scenario === scenario),
      chosen.filter((fault) => fault.scenario === scenario),
    )
  }
  for (const fault of FAULT_CATALOGUE.filter(isOutlierFault)) strikeFew(random, visits, fault)
  return visits
}

function drawScenario(random: Random): Scenario {
  let left = random()
  for (const [scenario, share] of SHARES) {
    left -= share
    if (left < 0) return scenario
  }
  return 'browse'
}

function chooseFaults(random: Random): FaultSpec[] {
  const hard = shuffled(
    random,
    FAULT_CATALOGUE.filter((fault) => fault.hard),
  )
  const onePerSignal = hard.filter((fault, at) => hard.findIndex((other) => other.signal === fault.signal) === at)
  const others = hard.filter((fault) => !onePerSignal.includes(fault))
  const count = intBetween(random, HARD_FAULTS_MIN, hard.length)
  return [...onePerSignal, ...others.slice(0, count - onePerSignal.length), ...SOFT_FAULTS]
}

const SOFT_FAULTS = FAULT_CATALOGUE.filter((fault) => !fault.hard && !isOutlierFault(fault))

/** Runs out of the usual must be this many to be told from chance, and at most this share of all. */
const OUTLIERS_MIN = 10
const OUTLIER_SHARE_MAX = 0.04

/** Among visits that nothing else strikes; where a cause leaves enough of them, under it only. In a small run nowhere. */
function strikeFew(random: Random, visits: Visit[], fault: FaultSpec): void {
  const candidates = visits.filter(({ scenario }) => scenario === fault.scenario)
  const most = Math.min(TRACES_PER_FAULT_MAX, Math.floor(candidates.length * OUTLIER_SHARE_MAX))
  if (most < OUTLIERS_MIN) return
  const free = shuffled(
    random,
    candidates.filter(({ faultId }) => faultId === null),
  )
  const cause = pick(random, CAUSES)
  const under = free.filter(({ circumstances }) => isUnder(circumstances, cause))
  const hasCause = under.length * STRUCK_SHARE_MAX >= OUTLIERS_MIN
  const mostUnder = hasCause ? Math.min(most, Math.floor(under.length * STRUCK_SHARE_MAX)) : most
  for (const visit of (hasCause ? under : free).slice(0, intBetween(random, OUTLIERS_MIN, mostUnder))) {
    visit.faultId = fault.id
    visit.cause = hasCause ? cause : null
  }
}

/** Gives each fault its own traces among those of its scenario: under its cause only, where enough of them are. */
function strike(random: Random, candidates: Visit[], faults: FaultSpec[]): void {
  const free = new Set(shuffled(random, candidates))
  const room = Math.floor((candidates.length * STRUCK_SHARE_MAX) / faults.length)
  const most = Math.min(TRACES_PER_FAULT_MAX, room)
  if (most < TRACES_PER_FAULT_MIN)
    throw new Error(`too few traces: ${candidates.length} of scenario ${faults[0]?.scenario} for ${faults.length} faults`)
  const causes = shuffled(random, CAUSES)
  const drawn = faults.map((fault, at) => ({ fault, cause: random() < CAUSELESS_SHARE ? null : causes[at % causes.length]! }))
  // Those without a cause strike while every kind of visit is still free: later ones would meet few of the kinds that causes took.
  for (const { fault, cause } of drawn.sort((a, b) => Number(a.cause !== null) - Number(b.cause !== null))) {
    const under = cause === null ? [] : [...free].filter(({ circumstances }) => isUnder(circumstances, cause))
    const mostUnder = Math.min(most, Math.floor(under.length * STRUCK_SHARE_MAX))
    const hasCause = mostUnder >= TRACES_PER_CAUSE_MIN
    const [among, traces] = hasCause
      ? [under, intBetween(random, TRACES_PER_CAUSE_MIN, mostUnder)]
      : [[...free], intBetween(random, TRACES_PER_FAULT_MIN, most)]
    for (const visit of among.slice(0, traces)) {
      visit.faultId = fault.id
      visit.cause = hasCause ? cause : null
      free.delete(visit)
    }
  }
}
