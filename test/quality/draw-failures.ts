import type { MinuteCount, TrafficWindow } from '../../analyzer/src/domain/verification/traffic.ts'
import type { Random } from '../demo/random.ts'

/** Runs of a window, which is a minute to the product. */
export const WINDOW_RUNS = 50

export interface DrawnStretch {
  from: number
  count: number
  rate: number
  rho: number
  runs?: number
}

/** So many windows, one a minute. */
export function drawMinutes(random: Random, { from, count, rate, rho, runs = WINDOW_RUNS }: DrawnStretch): MinuteCount[] {
  return Array.from({ length: count }, (_, at) => {
    const { failures } = drawWindow(random, runs, rate, rho)
    return { minute: from + at, runs, failures, failuresSquared: failures }
  })
}

/** Failures of a window whose runs fail together: a rate drawn from a Beta, so that any two runs correlate by `rho`. */
export function drawWindow(random: Random, runs: number, rate: number, rho: number): TrafficWindow {
  const own = rho > 0 ? drawBeta(random, (rate * (1 - rho)) / rho, ((1 - rate) * (1 - rho)) / rho) : rate
  let failures = 0
  for (let run = 0; run < runs; run++) if (random() < own) failures++
  return { runs, failures }
}

function drawBeta(random: Random, a: number, b: number): number {
  const x = drawGamma(random, a)
  return x / (x + drawGamma(random, b))
}

/** Marsaglia and Tsang (2000). */
function drawGamma(random: Random, shape: number): number {
  if (shape < 1) return drawGamma(random, shape + 1) * (1 - random()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = drawNormal(random)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
