const PRECISION = 1e-15
/** Newton needs some five steps; halving, where a step leaves the range, gets from 1 to the smallest number in 1,075. */
const STEPS_MAX = 1_100

export interface Distribution {
  cdf(x: number): number
  density(x: number): number
  /** The quantile lies between 0 and this. */
  high: number
  /** Where the search begins. */
  start: number
}

/** The value below which a variable lies with the given chance: Newton's steps, halving where they lead out of the range. */
export function findQuantile(chance: number, { cdf, density, high: highest, start }: Distribution): number {
  let low = 0
  let high = highest
  let x = start
  for (let i = 0; i < STEPS_MAX && high - low > high * PRECISION; i++) {
    const excess = cdf(x) - chance
    if (excess < 0) low = x
    else high = x
    const stepped = x - excess / density(x)
    const next = stepped > low && stepped < high ? stepped : (low + high) / 2
    if (Math.abs(next - x) <= x * PRECISION) return next
    x = next
  }
  return x
}
