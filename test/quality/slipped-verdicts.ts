import type { VerdictRule } from '../../analyzer/src/capabilities/changes/verdict.rules.ts'
import { normalUpperQuantile } from '../../analyzer/src/domain/statistics/normal.ts'
import { strongestShift } from '../../analyzer/src/domain/verification/rate-shift.ts'
import { WINDOWS_MIN } from '../../analyzer/src/domain/verification/sequential-interval.ts'
import type { MinuteCount } from '../../analyzer/src/domain/verification/traffic.ts'
import { mulberry32, type Random, seedOf } from '../demo/random.ts'
import { drawMinutes, WINDOW_RUNS } from './draw-failures.ts'
import { judgeMinutes } from './judge-minutes.ts'
import type { Measure } from './measure.ts'

const RATES = [0.02, 0.1, 0.3]
const RHOS = [0, 0.02, 0.05]
/** What a fix leaves of the rate. */
const LEFT = 0.25
const WINDOWS_BEFORE = 20
const WINDOWS_HELD = 20
const WINDOWS_BACK = 20
const FIXED_ALPHA = 0.05
const FALSE_MAX = 0.05
const POWER_MIN = 0.5
/** The place of the rise is looked for, which the fixed test need not. */
const POWER_RATIO_MIN = 0.5

interface SlipCell {
  rate: number
  rho: number
  /** Share of the histories that stay down which are ever said to have slipped. */
  falseSlips: number
  /** Of those that held and came back: said to have slipped within twenty windows, and seen by a test that knows where and how they clump. */
  found: number
  fixedFound: number
}

/** Histories that stay down, looked at window after window, and such that come back after twenty windows of having held. */
export function simulateSlips(rule: VerdictRule, { runs, seed }: { runs: number; seed: number }): SlipCell[] {
  return RATES.flatMap((rate) => RHOS.map((rho) => ({ rate, rho }))).map(({ rate, rho }) => {
    const random = mulberry32(seedOf(`${seed} slipped ${rate} ${rho}`))
    const counts = { falseSlips: 0, held: 0, found: 0, fixedFound: 0 }
    for (let run = 0; run < runs; run++) {
      const before = drawMinutes(random, { from: 0, count: WINDOWS_BEFORE, rate, rho })
      const low = after(random, rate * LEFT, rho)
      const isSlipped = (minutes: MinuteCount[]) =>
        strongestShift(minutes)?.isRise === true && judgeMinutes({ before, after: minutes }, rule).verdict === 'slipped'
      if (looks(low).some(isSlipped)) counts.falseSlips++
      const held = low.slice(0, WINDOWS_HELD)
      const back = after(random, rate, rho).slice(WINDOWS_HELD)
      if (judgeMinutes({ before, after: held }, rule).verdict !== 'held') continue
      counts.held++
      if (looks([...held, ...back]).some((minutes) => minutes.length > WINDOWS_HELD && isSlipped(minutes))) counts.found++
      if (fixedTestSeesRise(held, back, rho, rule.delta)) counts.fixedFound++
    }
    const { held, found, fixedFound, falseSlips } = counts
    return { rate, rho, falseSlips: falseSlips / runs, found: found / held, fixedFound: fixedFound / held }
  })
}

function after(random: Random, rate: number, rho: number): MinuteCount[] {
  return drawMinutes(random, { from: WINDOWS_BEFORE + 1, count: WINDOWS_HELD + WINDOWS_BACK, rate, rho })
}

function looks(minutes: MinuteCount[]): MinuteCount[][] {
  return minutes.map((_, at) => minutes.slice(0, at + 1)).slice(2 * WINDOWS_MIN)
}

/** Wald's test of the log ratio against 1 + δ at the place of the rise, its variance multiplied by the true dispersion. */
function fixedTestSeesRise(held: readonly MinuteCount[], back: readonly MinuteCount[], rho: number, delta: number): boolean {
  const count = (minutes: readonly MinuteCount[]) => minutes.reduce((sum, { failures }) => sum + failures, 0)
  // Half a failure in the place of none: a logarithm needs something.
  const [low, high] = [Math.max(count(held), 0.5), Math.max(count(back), 0.5)]
  const rate = (low + high) / ((held.length + back.length) * WINDOW_RUNS)
  const deviation = Math.sqrt((1 + (WINDOW_RUNS - 1) * rho) * (1 - rate) * (1 / low + 1 / high))
  const distance = Math.log((high * held.length) / (low * back.length)) - Math.log(1 + delta)
  return distance / deviation > normalUpperQuantile(FIXED_ALPHA / 2)
}

export function measureSlips(cells: readonly SlipCell[], { runs, seed }: { runs: number; seed: number }): Measure {
  const strong = cells.filter(({ fixedFound }) => fixedFound >= POWER_MIN)
  const told = cells.map(
    ({ rate, rho, falseSlips, found, fixedFound }) =>
      `${rate}/${rho}: ${falseSlips.toFixed(3)}, ${found.toFixed(2)} (${fixedFound.toFixed(2)})`,
  )
  return {
    name: 'slipped',
    published: '–',
    figures: [
      {
        name: 'false “slipped” of what held and stays, worst cell',
        value: Math.max(...cells.map(({ falseSlips }) => falseSlips)),
        target: { atMost: FALSE_MAX },
      },
      {
        name: 'held, then back: found, over the fixed test that knows the place, worst cell',
        value: Math.min(...strong.map(({ found, fixedFound }) => found / fixedFound)),
        target: { atLeast: POWER_RATIO_MIN },
      },
    ],
    note: `${runs} seeded histories a cell (seed ${seed}): a quarter of the rate for forty windows of ${WINDOW_RUNS} runs, or for twenty and then all of it again, looked at after each; rate/rho: false, found (fixed test): ${told.join('; ')}`,
  }
}
