import type { VerdictRule } from '../../analyzer/src/capabilities/changes/verdict.rules.ts'
import { WINDOWS_MIN } from '../../analyzer/src/domain/verification/sequential-interval.ts'
import { mulberry32, seedOf } from '../demo/random.ts'
import { drawMinutes } from './draw-failures.ts'
import { judgeMinutes } from './judge-minutes.ts'
import type { Measure } from './measure.ts'

const RATES = [0.02, 0.1, 0.3]
const RHOS = [0, 0.02]
/** What happens to both versions while they run side by side: nothing, or all of it fails so many times as often. */
const DRIFTS = [1, 2.5]
const WINDOWS_BEFORE = 20
const WINDOWS = 20
const OLD_RUNS = 200
const NEW_RUNS = 50
/** What the new version leaves of the rate where it mends. */
const LEFT = 0.2
const FALSE_MAX = 0.05
const FOUND_MIN = 0.5

interface CanaryCell {
  rate: number
  rho: number
  drift: number
  /** Share of the histories in which a version that is no different is ever said to be. */
  falseVerdicts: number
  /** Of those in which it mends: held at the last look. */
  found: number
}

/** The old version for twenty windows, then twenty more with a fifth of the traffic on the new one, looked at after each. */
export function simulateCanaries(rule: VerdictRule, { runs, seed }: { runs: number; seed: number }): CanaryCell[] {
  const cells = RATES.flatMap((rate) => RHOS.flatMap((rho) => DRIFTS.map((drift) => ({ rate, rho, drift }))))
  return cells.map(({ rate, rho, drift }) => {
    const random = mulberry32(seedOf(`${seed} canary ${rate} ${rho} ${drift}`))
    let [changed, found] = [0, 0]
    for (let run = 0; run < runs; run++) {
      const old = (from: number, count: number, now: number) =>
        drawMinutes(random, { from, count, rate: now, rho, runs: OLD_RUNS })
      const before = [...old(0, WINDOWS_BEFORE, rate), ...old(WINDOWS_BEFORE, WINDOWS, rate * drift)]
      const fresh = (now: number) => drawMinutes(random, { from: WINDOWS_BEFORE, count: WINDOWS, rate: now, rho, runs: NEW_RUNS })
      const sayAt = (after: ReturnType<typeof fresh>, look: number) =>
        judgeMinutes({ before: before.slice(0, WINDOWS_BEFORE + look), after: after.slice(0, look) }, rule).verdict
      const same = fresh(rate * drift)
      const looks = Array.from({ length: WINDOWS - WINDOWS_MIN + 1 }, (_, at) => WINDOWS_MIN + at)
      if (looks.some((look) => !['refused', 'unchanged'].includes(sayAt(same, look)))) changed++
      if (sayAt(fresh(rate * drift * LEFT), WINDOWS) === 'held') found++
    }
    return { rate, rho, drift, falseVerdicts: changed / runs, found: found / runs }
  })
}

export function measureCanaryTraffic(cells: readonly CanaryCell[], { runs, seed }: { runs: number; seed: number }): Measure {
  const frequent = cells.filter(({ rate }) => rate >= 0.1)
  const told = cells.map(
    ({ rate, rho, drift, falseVerdicts, found }) => `${rate}/${rho}/${drift}: ${falseVerdicts.toFixed(3)}, ${found.toFixed(2)}`,
  )
  return {
    name: 'two versions side by side',
    published: '–',
    figures: [
      {
        name: 'false verdicts, worst cell',
        value: Math.max(...cells.map(({ falseVerdicts }) => falseVerdicts)),
        target: { atMost: FALSE_MAX },
      },
      {
        name: 'a fifth of the failures: held at the end, worst cell of rates from .1 on',
        value: Math.min(...frequent.map(({ found }) => found)),
        target: { atLeast: FOUND_MIN },
      },
    ],
    note: `${runs} seeded histories a cell (seed ${seed}): ${OLD_RUNS} runs a window of the old version, ${NEW_RUNS} of the new one; in half of the cells both fail 2.5 times as often from the new one’s first window on; rate/rho/drift: false, found: ${told.join('; ')}`,
  }
}
