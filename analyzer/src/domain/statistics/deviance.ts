import { lnGamma } from './ln-gamma.ts'

/** From here on the series is exact to double precision. */
const SERIES_FROM = 16
const LN_ROOT_TWO_PI = 0.5 * Math.log(2 * Math.PI)

/** What Stirling's formula for ln n! leaves out. Where counts are large it is what remains once all that cancels has been cancelled. */
function stirlingRest(n: number): number {
  if (n < SERIES_FROM) return n === 0 ? 0 : lnGamma(n + 1) - (n + 0.5) * Math.log(n) + n - LN_ROOT_TWO_PI
  const square = n * n
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n
}

/** (1 + u) ln(1 + u) - u for u ≥ -1, exact in relative terms also next to 0. */
export function excessEntropy(u: number): number {
  if (u <= -1) return 1
  if (Math.abs(u) > 0.1) return (1 + u) * Math.log1p(u) - u
  let sum = 0
  let power = u * u
  for (let k = 2; k < 30; k++) {
    const term = power / (k * (k - 1))
    sum += k % 2 === 0 ? term : -term
    if (Math.abs(term) < Math.abs(sum) * 1e-17) break
    power *= u
  }
  return sum
}

/** x ln(x / mean) + mean - x: how far a count lies from its mean, in units of information. */
function devianceOf(x: number, mean: number): number {
  return mean * excessEntropy((x - mean) / mean)
}

/**
 * Natural logarithm of the binomial chance of x in n, after Loader (2000): no digits are lost to factorials that cancel. x and n need not
 * be whole; p and q = 1 - p are given both, so that neither is rounded.
 */
export function lnBinomialChance(x: number, n: number, p: number, q: number): number {
  if (x < 0 || x > n) return Number.NEGATIVE_INFINITY
  if (x === 0) return n === 0 ? 0 : n * (q > 0.5 ? Math.log1p(-p) : Math.log(q))
  if (x === n) return n * (p > 0.5 ? Math.log1p(-q) : Math.log(p))
  if (p <= 0 || q <= 0) return Number.NEGATIVE_INFINITY
  const lost = devianceOf(x, n * p) + devianceOf(n - x, n * q)
  const rest = stirlingRest(n) - stirlingRest(x) - stirlingRest(n - x)
  return rest - lost - LN_ROOT_TWO_PI - 0.5 * Math.log(x * (1 - x / n))
}

/** The same of a Poisson variable. */
export function lnPoissonChance(x: number, mean: number): number {
  if (x < 0) return Number.NEGATIVE_INFINITY
  if (x === 0) return -mean
  if (mean <= 0) return Number.NEGATIVE_INFINITY
  return -stirlingRest(x) - devianceOf(x, mean) - LN_ROOT_TWO_PI - 0.5 * Math.log(x)
}
