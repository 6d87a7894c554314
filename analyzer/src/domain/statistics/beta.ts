import { lnBinomialChance } from './deviance.ts'
import { findQuantile } from './find-quantile.ts'

/** More than any pair below 1e10 needs; steps grow with the root. */
const STEPS_MAX = 1_000_000
const TINY = 1e-300
const PRECISION = 1e-15

/** Regularized incomplete beta function I_x(a, b), a, b > 0: the chance that a Beta(a, b) lies below x. */
export function betaCdf(a: number, b: number, x: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = frontOf(a, b, x)
  return x < (a + 1) / (a + b + 2) ? (front * fraction(a, b, x)) / a : 1 - (front * fraction(b, a, 1 - x)) / b
}

/** x^a (1 - x)^b / B(a, b). */
function frontOf(a: number, b: number, x: number): number {
  return ((a * b) / (a + b)) * Math.exp(lnBinomialChance(a, a + b, x, 1 - x))
}

/** The value below which a Beta(a, b) lies with the given chance, to double precision. */
export function betaQuantile(chance: number, a: number, b: number): number {
  const density = (x: number) => frontOf(a, b, x) / (x * (1 - x))
  return findQuantile(chance, { cdf: (x) => betaCdf(a, b, x), density, high: 1, start: a / (a + b) })
}

/** Clopper-Pearson: the exact interval of a proportion; `alpha` is the chance left outside, half on each side. */
export function proportionInterval(hits: number, tries: number, alpha: number): { low: number; high: number } {
  return {
    low: hits <= 0 ? 0 : betaQuantile(alpha / 2, hits, tries - hits + 1),
    high: hits >= tries ? 1 : betaQuantile(1 - alpha / 2, hits + 1, tries - hits),
  }
}

/** Wilson's score interval of a proportion; `z` is the normal quantile of the chance wanted. For shares shown beside each other. */
export function wilsonInterval(hits: number, tries: number, z: number): { low: number; high: number } {
  const share = hits / tries
  const middle = share + (z * z) / (2 * tries)
  const reach = z * Math.sqrt((share * (1 - share)) / tries + (z * z) / (4 * tries * tries))
  const scale = 1 + (z * z) / tries
  return { low: hits <= 0 ? 0 : (middle - reach) / scale, high: hits >= tries ? 1 : (middle + reach) / scale }
}

/** Lentz's method on the continued fraction of the incomplete beta function. */
function fraction(a: number, b: number, x: number): number {
  let c = 1
  let d = inverse(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m < STEPS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = inverse(1 + even * d)
    c = nonZero(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = inverse(1 + odd * d)
    c = nonZero(1 + odd / c)
    const step = d * c
    h *= step
    if (Math.abs(step - 1) < PRECISION) break
  }
  return h
}

const nonZero = (value: number) => (Math.abs(value) < TINY ? TINY : value)
const inverse = (value: number) => 1 / nonZero(value)
