import type { VerdictRule } from '../../analyzer/src/capabilities/changes/verdict.rules.ts'
import type { Figure, Measure } from './measure.ts'
import { type CellOutcome, simulateCell } from './simulate-verdicts.ts'

const RATES = [0.02, 0.1, 0.3]
const RHOS = [0, 0.02, 0.05]
const FALL = 0.5
/** Power of the fixed-sample test from which on the product has to keep up with it. */
const POWER_MIN = 0.5
const POWER_RATIO_MIN = 0.85
const FALSE_MAX = 0.05

export interface VerdictFigures {
  runs: number
  seed: number
  cells: { still: CellOutcome; fallen: CellOutcome }[]
}

/** Every cell without a change and with a fall by half. */
export function simulateVerdicts(rule: VerdictRule, options: { runs: number; seed: number }): VerdictFigures {
  const cells = RATES.flatMap((rate) => RHOS.map((rho) => ({ rate, rho }))).map((cell) => ({
    still: simulateCell({ ...cell, factor: 1 }, rule, options),
    fallen: simulateCell({ ...cell, factor: FALL }, rule, options),
  }))
  return { ...options, cells }
}

export function measureVerdicts({ runs, seed, cells }: VerdictFigures): Measure {
  const strong = cells.filter(({ fallen }) => fallen.fixedHeld >= POWER_MIN)
  const weak = cells.filter(({ fallen }) => fallen.fixedHeld < POWER_MIN && !Number.isNaN(fallen.saysRunsNeeded))
  const figures: Figure[] = [
    {
      name: 'false verdicts, worst cell',
      value: Math.max(...cells.map(({ still }) => still.changed)),
      target: { atMost: FALSE_MAX },
    },
    {
      name: 'power over that of the fixed test, worst cell',
      value: Math.min(...strong.map(({ fallen }) => fallen.held / fallen.fixedHeld)),
      target: { atLeast: POWER_RATIO_MIN },
    },
    {
      name: 'where that has less than .5: runs without verdict that say how many runs are missing, worst cell',
      value: Math.min(...weak.map(({ fallen }) => fallen.saysRunsNeeded)),
      target: { atLeast: 1 },
    },
  ]
  return {
    name: 'false verdicts',
    published: '“moved by more than 20 %” .78–.91; repeated Fisher .16',
    figures,
    note: `${runs} seeded histories a cell (seed ${seed}), ${cells.length} cells; the table below has them all`,
  }
}
