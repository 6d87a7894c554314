import { betaCdf } from './beta.ts'

/** The chance that a Student-t variable with so many degrees of freedom lies above t. */
export function studentSurvival(t: number, degrees: number): number {
  const half = betaCdf(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2
  return t >= 0 ? half : 1 - half
}

/** The value above which a Student-t variable lies with the given chance, at most a half; by bisection. */
export function studentUpperQuantile(chance: number, degrees: number): number {
  let low = 0
  let high = 1
  while (studentSurvival(high, degrees) > chance) high *= 2
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (studentSurvival(middle, degrees) > chance) low = middle
    else high = middle
  }
  return (low + high) / 2
}
