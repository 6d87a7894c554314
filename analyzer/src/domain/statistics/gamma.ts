const LANCZOS_G = 7
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]
/** More steps than any argument below 1e6 needs to reach double precision. */
const STEPS_MAX = 20_000
const TINY = 1e-300
const PRECISION = 1e-15

/** Natural logarithm of the gamma function for x > 0 (Lanczos, relative error about 1e-14). */
export function lnGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x)
  const shifted = x - 1
  let sum = LANCZOS[0]!
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (shifted + i)
  const t = shifted + LANCZOS_G + 0.5
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum)
}

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

/** The value below which a Gamma(shape, 1) lies with the given chance; by bisection, to double precision. */
export function gammaQuantile(chance: number, shape: number): number {
  let low = 0
  let high = shape + 1
  while (gammaCdf(shape, high) < chance) high *= 2
  for (let i = 0; i < 200 && high - low > high * PRECISION; i++) {
    const middle = (low + high) / 2
    if (gammaCdf(shape, middle) < chance) low = middle
    else high = middle
  }
  return (low + high) / 2
}

function bySeries(a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; n < STEPS_MAX; n++) {
    term *= x / (a + n)
    sum += term
    if (term < sum * PRECISION) break
  }
  return sum * Math.exp(-x + a * Math.log(x) - lnGamma(a))
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
  return h * Math.exp(-x + a * Math.log(x) - lnGamma(a))
}
