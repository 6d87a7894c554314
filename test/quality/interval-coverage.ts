import { INTERVAL_CONFIDENCE, type VerdictRule } from '../../analyzer/src/capabilities/changes/verdict.rules.ts'
import { planLastLook } from '../../analyzer/src/domain/verification/plan-runs.ts'
import { lookAt, WINDOWS_MIN } from '../../analyzer/src/domain/verification/sequential-interval.ts'
import { toTraffic } from '../../analyzer/src/domain/verification/traffic.ts'
import { mulberry32, seedOf } from '../demo/random.ts'
import { drawMinutes, WINDOW_RUNS } from './draw-failures.ts'
import type { Measure } from './measure.ts'

const RATES = [0.02, 0.1, 0.3]
const RHOS = [0, 0.02, 0.05]
const FACTORS = [0.5, 1, 2]
const WINDOWS = 20
const SINGLE_LOOK_MIN = 0.95

interface Coverage {
  /** Shares of the histories whose interval holds the true ratio at every look, and at the look at which it does so least. */
  allLooks: number
  worstLook: number
}

/** How often the interval of a verdict holds the true ratio of the rates, at each look and at all together. */
export function simulateCoverage(rule: VerdictRule, { runs, seed }: { runs: number; seed: number }): Coverage[] {
  const cells = RATES.flatMap((rate) => RHOS.flatMap((rho) => FACTORS.map((factor) => ({ rate, rho, factor }))))
  return cells.map(({ rate, rho, factor }) => {
    const random = mulberry32(seedOf(`${seed} coverage ${rate} ${rho} ${factor}`))
    const missed = new Array<number>(WINDOWS + 1).fill(0)
    let missedAny = 0
    for (let run = 0; run < runs; run++) {
      const before = toTraffic(drawMinutes(random, { from: 0, count: WINDOWS, rate, rho }))
      const after = drawMinutes(random, { from: WINDOWS + 1, count: WINDOWS, rate: rate * factor, rho })
      if (before.failures === 0) continue
      const plan = { plannedRuns: planLastLook(before, rule.delta), alpha: rule.alpha }
      let isMissed = false
      for (let look = WINDOWS_MIN; look <= WINDOWS; look++) {
        const { low, high } = lookAt(before, toTraffic(after.slice(0, look)), plan).ratio
        if (low <= factor && (high === null || high >= factor)) continue
        missed[look]!++
        isMissed = true
      }
      if (isMissed) missedAny++
    }
    return { allLooks: 1 - missedAny / runs, worstLook: 1 - Math.max(...missed) / runs }
  })
}

export function measureCoverage(cells: readonly Coverage[], { runs, seed }: { runs: number; seed: number }): Measure {
  return {
    name: 'ratio intervals',
    published: '–',
    figures: [
      {
        name: 'true ratio inside at all looks together, worst cell',
        value: Math.min(...cells.map(({ allLooks }) => allLooks)),
        target: { atLeast: INTERVAL_CONFIDENCE },
      },
      {
        name: 'at the worst single look, worst cell',
        value: Math.min(...cells.map(({ worstLook }) => worstLook)),
        target: { atLeast: SINGLE_LOOK_MIN },
      },
    ],
    note: `${runs} seeded histories a cell (seed ${seed}), ${cells.length} cells: rates ${RATES.join(', ')}, rho ${RHOS.join(', ')}, true ratios ${FACTORS.join(', ')}; ${WINDOWS} windows of ${WINDOW_RUNS} runs on each side, a look from the fourth on`,
  }
}
