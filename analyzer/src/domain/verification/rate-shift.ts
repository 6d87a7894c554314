import { normalSurvival } from '../statistics/normal.ts'
import type { Exposure } from '../statistics/rate-ratio.ts'
import { studentSurvival } from '../statistics/student.ts'
import { deviateOf } from '../trend/hourly-series.ts'
import { dispersionOf, meanWeight, WINDOWS_MIN } from './sequential-interval.ts'
import { type MinuteCount, toTraffic } from './traffic.ts'

/** A rate that changed once: the first minute of the new one. */
export interface RateShift {
  minute: number
  isRise: boolean
}

/**
 * Standard deviations that a change of the rate needs among so many minutes with runs: the best of all places is looked for, at every
 * look anew. Of more minutes it needs more, by the logarithm, so that a long history is no likelier to have one by chance.
 */
const SHIFT_DEVIATES = 3.5
const MINUTES = 40
/** What a fall needs more: one that is taken for real takes the credit from the change that came after it. */
const FALL_DEVIATES = 1

/**
 * Where the rate of failures changed most, in order of time, where it did: the place that makes one rate before and another one since
 * likeliest. What failures vary by on both sides of it counts against it, so that neither clumps nor nights are changes.
 */
export function strongestShift(minutes: readonly MinuteCount[]): RateShift | null {
  const found = likeliestPlace(minutes)
  if (found === null) return null
  const least = Math.sqrt(SHIFT_DEVIATES ** 2 + 2 * Math.log(Math.max(1, minutes.length / MINUTES)))
  const bound = least + (found.deviate > 0 ? 0 : FALL_DEVIATES)
  const [before, since] = [toTraffic(minutes.slice(0, found.at)), toTraffic(minutes.slice(found.at))]
  const weight = meanWeight(before, since)
  const deviate = found.deviate / Math.sqrt(weight * Math.max(1, dispersionOf(before, since, weight)))
  const degrees = before.windows.length + since.windows.length - 2
  // Below the normal's bound it is below Student's, which takes longer to say.
  if (Math.abs(deviate) < bound) return null
  if (studentSurvival(Math.abs(deviate), degrees) > normalSurvival(bound)) return null
  return { minute: minutes[found.at]!.minute, isRise: deviate > 0 }
}

/** Both sides of it hold as many minutes with runs as a look needs. */
function likeliestPlace(minutes: readonly MinuteCount[]): { at: number; deviate: number } | null {
  const total = sumOf(minutes)
  const running = minutes.reduce((sum, { runs }) => sum + (runs > 0 ? 1 : 0), 0)
  let best: { at: number; deviate: number } | null = null
  let [failures, runs, ran] = [0, 0, 0]
  for (const [at, minute] of minutes.entries()) {
    if (ran >= WINDOWS_MIN && running - ran >= WINDOWS_MIN) {
      const deviate = deviateOf({ failures, runs }, { failures: total.failures - failures, runs: total.runs - runs })
      if (best === null || Math.abs(deviate) > Math.abs(best.deviate)) best = { at, deviate }
    }
    failures += minute.failures
    runs += minute.runs
    if (minute.runs > 0) ran++
  }
  return best
}

function sumOf(minutes: readonly MinuteCount[]): Exposure {
  const sum = { failures: 0, runs: 0 }
  for (const minute of minutes) {
    sum.failures += minute.failures
    sum.runs += minute.runs
  }
  return sum
}
