import { gammaSurvival } from './gamma.ts'

/** The chance that a standard normal lies above z, exact in relative terms far out too. */
export function normalSurvival(z: number): number {
  const half = gammaSurvival(0.5, (z * z) / 2) / 2
  return z >= 0 ? half : 1 - half
}

/** The value above which a standard normal lies with the given chance; by bisection, to double precision. */
export function normalUpperQuantile(chance: number): number {
  let low = -40
  let high = 40
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2
    if (normalSurvival(middle) > chance) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The chance that a chi-squared variable with so many degrees of freedom lies above x. */
export function chiSquaredSurvival(x: number, degrees: number): number {
  return gammaSurvival(degrees / 2, x / 2)
}
