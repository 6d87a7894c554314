import { gammaSurvival } from './gamma.ts'

/** The chance that a standard normal lies above z, exact in relative terms far out too. */
export function normalSurvival(z: number): number {
  const half = gammaSurvival(0.5, (z * z) / 2) / 2
  return z >= 0 ? half : 1 - half
}

/** Beyond it a chance is no number any more. */
const Z_MAX = 40
/** From four digits to all of them: each step doubles their number. */
const NEWTON_STEPS = 4

/** The value above which a standard normal lies with the given chance, to double precision. */
export function normalUpperQuantile(chance: number): number {
  if (chance > 0.5) return -normalUpperQuantile(1 - chance)
  if (!(chance > 0)) return Z_MAX
  let z = roughUpperQuantile(chance)
  for (let i = 0; i < NEWTON_STEPS; i++) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
    if (density === 0) break
    z += (normalSurvival(z) - chance) / density
  }
  return z
}

/** Abramowitz and Stegun, 26.2.23, for chances up to a half: within 0.00045. */
function roughUpperQuantile(chance: number): number {
  const t = Math.sqrt(-2 * Math.log(chance))
  const above = 2.515517 + t * (0.802853 + t * 0.010328)
  return t - above / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
}

/** The chance that a chi-squared variable with so many degrees of freedom lies above x. */
export function chiSquaredSurvival(x: number, degrees: number): number {
  return gammaSurvival(degrees / 2, x / 2)
}
