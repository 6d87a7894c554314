import type { Judgement, VerdictRule } from '../../analyzer/src/capabilities/changes/verdict.rules.ts'
import { normalUpperQuantile } from '../../analyzer/src/domain/statistics/normal.ts'
import { planLastLook } from '../../analyzer/src/domain/verification/plan-runs.ts'
import { lookAt, WINDOWS_MIN } from '../../analyzer/src/domain/verification/sequential-interval.ts'
import { type MinuteCount, type Traffic, toTraffic } from '../../analyzer/src/domain/verification/traffic.ts'
import { mulberry32, seedOf } from '../demo/random.ts'
import { drawMinutes, WINDOW_RUNS } from './draw-failures.ts'
import { compareMinutes, judgeMinutes } from './judge-minutes.ts'

const WINDOWS_BEFORE = 20
const LOOKS = 20
const FIXED_ALPHA = 0.05
/** Runs of a cell in which no look is left out, to show that leaving some out changes nothing. */
const RUNS_UNSCREENED = 20

export interface VerdictCell {
  rate: number
  /** Correlation of any two runs of a window. */
  rho: number
  /** Rate after over rate before. */
  factor: number
}

/** Shares of the runs of a cell. */
export interface CellOutcome extends VerdictCell {
  /** That at any look said that something changed. */
  changed: number
  held: number
  /** That end with "unchanged". */
  unchanged: number
  /** Of those that end without a verdict: that say how many runs are missing. NaN where every run has a verdict. */
  saysRunsNeeded: number
  /** In which a test of fixed size that knows the dispersion, at the last look alone, sees a fall. */
  fixedHeld: number
}

/** Seeded histories of one cell, each judged by the product window after window until it says that something changed. */
export function simulateCell(cell: VerdictCell, rule: VerdictRule, { runs, seed }: { runs: number; seed: number }): CellOutcome {
  const random = mulberry32(seedOf(`${seed} ${cell.rate} ${cell.rho} ${cell.factor}`))
  const counts = { changed: 0, held: 0, unchanged: 0, fixedHeld: 0, without: 0, needed: 0 }
  for (let run = 0; run < runs; run++) {
    const before = drawMinutes(random, { from: 0, count: WINDOWS_BEFORE, rate: cell.rate, rho: cell.rho })
    const after = drawMinutes(random, { from: WINDOWS_BEFORE + 1, count: LOOKS, rate: cell.rate * cell.factor, rho: cell.rho })
    const { verdict, reason, runsNeeded } = judgeHistory(before, after, rule, run < RUNS_UNSCREENED)
    if (verdict === 'refused') counts.without++
    else if (verdict === 'unchanged') counts.unchanged++
    else counts.changed++
    if (verdict === 'held') counts.held++
    if (reason === 'insufficient_traffic' && runsNeeded !== null && runsNeeded > 0) counts.needed++
    if (fixedTestSeesFall(toTraffic(before), toTraffic(after), cell.rho, rule.delta)) counts.fixedHeld++
  }
  return {
    ...cell,
    changed: counts.changed / runs,
    held: counts.held / runs,
    unchanged: counts.unchanged / runs,
    saysRunsNeeded: counts.needed / counts.without,
    fixedHeld: counts.fixedHeld / runs,
  }
}

/** The first verdict of a change, or what is said at the last look. */
function judgeHistory(
  before: readonly MinuteCount[],
  after: readonly MinuteCount[],
  rule: VerdictRule,
  isUnscreened: boolean,
): Judgement {
  for (let look = WINDOWS_MIN; look < after.length; look++) {
    const seen = { before, after: after.slice(0, look) }
    const canChange = couldSayChanged(seen, rule)
    if (!canChange && !isUnscreened) continue
    const judged = judgeMinutes(seen, rule)
    if (judged.verdict === 'refused' || judged.verdict === 'unchanged') continue
    if (!canChange) throw new Error(`a look that would have been left out says ${judged.verdict}`)
    return judged
  }
  return judgeMinutes({ before, after }, rule)
}

/** Most looks say nothing, and to say how many runs are missing takes long: only those are asked whose interval leaves 1 ± δ. */
function couldSayChanged(seen: { before: readonly MinuteCount[]; after: readonly MinuteCount[] }, { delta, alpha }: VerdictRule) {
  const { compared, rise } = compareMinutes(seen)
  const { before, after } = compared
  if (rise !== null) return true
  if (before.failures + after.failures === 0) return false
  const share = after.failures / after.runs / (before.failures / before.runs)
  if (share >= 1 - delta && share <= 1 + delta) return false
  const { low, high } = lookAt(before, after, { plannedRuns: planLastLook(before, delta), alpha }).ratio
  return low > 1 + delta || (high !== null && high < 1 - delta)
}

/** Wald's test of the log ratio against 1 - δ, its variance multiplied by the true dispersion. */
function fixedTestSeesFall(before: Traffic, after: Traffic, rho: number, delta: number): boolean {
  // Half a failure in the place of none: a logarithm needs something.
  const [failedBefore, failedAfter] = [Math.max(before.failures, 0.5), Math.max(after.failures, 0.5)]
  const rate = (before.failures + after.failures) / (before.runs + after.runs)
  const dispersion = (1 + (WINDOW_RUNS - 1) * rho) * (1 - rate)
  const deviation = Math.sqrt(dispersion * (1 / failedBefore + 1 / failedAfter))
  const distance = Math.log(failedAfter / after.runs / (failedBefore / before.runs)) - Math.log(1 - delta)
  return distance / deviation < -normalUpperQuantile(FIXED_ALPHA / 2)
}
