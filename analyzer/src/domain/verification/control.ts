import { strongestShift } from './rate-shift.ts'
import { WINDOWS_MIN } from './sequential-interval.ts'
import { type MinuteCount, type Traffic, type TrafficWindow, toTraffic, WINDOWS_MAX } from './traffic.ts'

/**
 * What a change is compared with where all that was before would be misleading: what the old version did in the same time, beside the
 * new one; or what was since the rate last changed, where it had changed before.
 */
export type Control =
  | { kind: 'same_time'; bounds: readonly number[] }
  | { kind: 'latest_stretch'; fromMinute: number; toMinute: number }

export interface Compared {
  before: Traffic
  after: Traffic
}

/** Share of the runs after that the old version must have run beside, and how many of its own it must have had there. */
const BESIDE_MIN_SHARE = 0.5

/** null where all of before is as good as any part of it. Minutes are in order. */
export function chooseControl(before: readonly MinuteCount[], after: readonly MinuteCount[]): Control | null {
  return besideOf(before, after) ?? latestStretchOf(before, after)
}

/** Both sides as the control says, of any failures of the same runs. */
export function compareBy(
  control: Control,
  { before, after }: { before: readonly MinuteCount[]; after: readonly MinuteCount[] },
): Compared {
  if (control.kind === 'same_time') return standardize(pairUp(control.bounds, before, after))
  const isIn = ({ minute }: MinuteCount) => minute >= control.fromMinute && minute < control.toMinute
  return { before: toTraffic(before.filter(isIn)), after: toTraffic(after) }
}

/** Two versions side by side: bounds of the stretches of time in which they are compared. */
function besideOf(before: readonly MinuteCount[], after: readonly MinuteCount[]): Control | null {
  const ran = after.filter(({ runs }) => runs > 0)
  const bounds = boundsOf(ran)
  const pairs = pairUp(bounds, before, ran)
  const runs = (side: 'before' | 'after') => pairs.reduce((sum, pair) => sum + pair[side].runs, 0)
  const all = ran.reduce((sum, minute) => sum + minute.runs, 0)
  const isBeside =
    pairs.length >= WINDOWS_MIN && runs('after') >= BESIDE_MIN_SHARE * all && runs('before') >= BESIDE_MIN_SHARE * runs('after')
  return isBeside ? { kind: 'same_time', bounds } : null
}

/** Of the minutes before the new version ran first: it says nothing of what the old one does when it is back. */
function latestStretchOf(before: readonly MinuteCount[], after: readonly MinuteCount[]): Control | null {
  const beganMinute = after[0]?.minute ?? Number.POSITIVE_INFINITY
  const earlier = before.filter(({ minute }) => minute < beganMinute)
  const shift = strongestShift(earlier)
  return shift && { kind: 'latest_stretch', fromMinute: shift.minute, toMinute: beganMinute }
}

/** Stretches of about as many runs each; the last bound is the end of all. */
function boundsOf(minutes: readonly MinuteCount[]): number[] {
  const total = minutes.reduce((sum, { runs }) => sum + runs, 0)
  const bounds: number[] = []
  let seen = 0
  for (const { minute, runs } of minutes) {
    if (seen * WINDOWS_MAX >= total * bounds.length) bounds.push(minute)
    seen += runs
  }
  const last = minutes.at(-1)
  return last ? [...bounds, last.minute + 1] : []
}

interface Pair {
  before: TrafficWindow & { failuresSquared: number }
  after: TrafficWindow & { failuresSquared: number }
}

/** Stretches in which both ran. */
function pairUp(bounds: readonly number[], before: readonly MinuteCount[], after: readonly MinuteCount[]): Pair[] {
  const [old, now] = [sumBetween(bounds, before), sumBetween(bounds, after)]
  return old
    .map((window, at) => ({ before: window, after: now[at]! }))
    .filter((pair) => pair.before.runs > 0 && pair.after.runs > 0)
}

function sumBetween(bounds: readonly number[], minutes: readonly MinuteCount[]): Pair['before'][] {
  const sums = bounds.slice(1).map(() => ({ runs: 0, failures: 0, failuresSquared: 0 }))
  let at = 0
  for (const { minute, runs, failures, failuresSquared } of minutes) {
    while (at < sums.length && minute >= bounds[at + 1]!) at++
    const sum = sums[at]
    if (!sum) break
    if (minute < bounds[at]!) continue
    sum.runs += runs
    sum.failures += failures
    sum.failuresSquared += failuresSquared
  }
  return sums
}

/**
 * Both sides as if they had run at the same times, by Mantel and Haenszel's weights: a version that got more of the traffic while all
 * failed more is not taken for worse. The failures stay what they are; the runs are those that give the weighted rates.
 */
function standardize(pairs: readonly Pair[]): Compared {
  const weights = pairs.map(({ before, after }) => (before.runs * after.runs) / (before.runs + after.runs))
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const side = (name: 'before' | 'after'): Traffic => {
    const windows = pairs.map((pair) => pair[name])
    const sum = (of: (window: Pair['before']) => number) => windows.reduce((total, window) => total + of(window), 0)
    const [runs, failures] = [sum((one) => one.runs), sum((one) => one.failures)]
    const rate = windows.reduce((total, one, at) => total + (weights[at]! * one.failures) / one.runs, 0) / all
    const scale = failures > 0 ? failures / rate / runs : 1
    return {
      runs: runs * scale,
      ...{ failures, failuresSquared: sum((one) => one.failuresSquared) },
      windows: windows.map((one) => ({ runs: one.runs * scale, failures: one.failures })),
    }
  }
  return { before: side('before'), after: side('after') }
}
