import { lnPoissonChance } from './deviance.ts'
import { findQuantile } from './find-quantile.ts'

/** More steps than any argument below 1e10 needs to reach double precision; they grow with its root. */
const STEPS_MAX = 1_000_000
const TINY = 1e-300
const PRECISION = 1e-15

/** Lower regularized incomplete gamma function P(a, x), a > 0, x >= 0: the chance that a Gamma(a, 1) lies below x. */
export function gammaCdf(a: number, x: number): number {
  if (x <= 0) return 0
  return x < a + 1 ? bySeries(a, x) : 1 - byFraction(a, x)
}

/** The upper tail 1 - P(a, x), exact in relative terms also where it is tiny. */
export function gammaSurvival(a: number, x: number): number {
  if (x <= 0) return 1
  return x < a + 1 ? 1 - bySeries(a, x) : byFraction(a, x)
}

/** The value below which a Gamma(shape, 1) lies with the given chance, to double precision. */
export function gammaQuantile(chance: number, shape: number): number {
  let high = shape + 1
  while (gammaCdf(shape, high) < chance) high *= 2
  const density = (x: number) => frontOf(shape, x) / x
  return findQuantile(chance, { cdf: (x) => gammaCdf(shape, x), density, high, start: Math.min(shape, high / 2) })
}

/** e^-x x^a / Γ(a). */
function frontOf(a: number, x: number): number {
  return a * Math.exp(lnPoissonChance(a, x))
}

function bySeries(a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; n < STEPS_MAX; n++) {
    term *= x / (a + n)
    sum += term
    if (term < sum * PRECISION) break
  }
  return sum * frontOf(a, x)
}

/** Lentz's method. */
function byFraction(a: number, x: number): number {
  let b = x + 1 - a
  let c = 1 / TINY
  let d = 1 / b
  let h = d
  for (let i = 1; i < STEPS_MAX; i++) {
    const an = -i * (i - a)
    b += 2
    d = an * d + b
    d = 1 / (Math.abs(d) < TINY ? TINY : d)
    c = b + an / c
    if (Math.abs(c) < TINY) c = TINY
    const step = d * c
    h *= step
    if (Math.abs(step - 1) < PRECISION) break
  }
  return h * frontOf(a, x)
}
