import type { HourlySeries } from './hourly-series.ts'

/** Runs and failure rate of one hour; hours of the week begin on Monday at midnight, UTC. */
export interface HourPlan {
  runs: number
  rate: number
}

export interface SyntheticPlan {
  hours: number
  seed: number
  /** Place in the series, counted from its beginning. */
  plan(at: number, hourOfWeek: number): HourPlan
  /** Variance of the rate beyond chance: 0 draws Poisson counts, 1 rates that double and halve from hour to hour. */
  wobble?: number
}

/** A Monday at midnight, UTC. */
const MONDAY_HOUR = 493_224

/** Seeded counts; the same plan and seed give the same series. */
export function syntheticWeeks({ hours, seed, plan, wobble = 0 }: SyntheticPlan): HourlySeries {
  const random = createRandom(seed)
  const counts = Array.from({ length: hours }, (_, at) => {
    const { runs, rate } = plan(at, at % 168)
    const drawn = poisson(runs, random)
    return { runs: drawn, failures: poisson(drawn * rate * Math.exp(wobble * (normal(random) - wobble / 2)), random) }
  })
  return { fromHour: MONDAY_HOUR, runs: counts.map(({ runs }) => runs), failures: counts.map(({ failures }) => failures) }
}

/** mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Knuth's, in portions so that large means neither underflow nor take long. */
function poisson(mean: number, random: () => number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const least = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > least; product *= random()) count++
  return count
}
