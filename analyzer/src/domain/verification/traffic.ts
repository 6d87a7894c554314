/** Runs and failures of one event minute; sampled spans count as what they stand for. */
export interface MinuteCount {
  minute: number
  runs: number
  failures: number
  /** Sum of the squared weights of the failures. */
  failuresSquared: number
}

/** Runs and failures of one stretch of time. */
export interface TrafficWindow {
  runs: number
  failures: number
}

/** One side of a change. */
export interface Traffic {
  runs: number
  failures: number
  failuresSquared: number
  /** In order of time; they add up to the rest. */
  windows: readonly TrafficWindow[]
}

/** Windows of a side: enough to see how failures clump, and no more than that. */
export const WINDOWS_MAX = 20

/**
 * The minutes of one side, in any order, put together to at most twenty windows of about equal runs. A window is never shorter
 * than a minute, and its bounds depend on runs alone, never on failures.
 */
export function toTraffic(minutes: readonly MinuteCount[]): Traffic {
  const ordered = minutes.filter(({ runs, failures }) => runs > 0 || failures > 0).sort((a, b) => a.minute - b.minute)
  const sum = (of: (minute: MinuteCount) => number) => ordered.reduce((total, minute) => total + of(minute), 0)
  const runs = sum((minute) => minute.runs)
  const windows: TrafficWindow[] = []
  let open: TrafficWindow | null = null
  let before = 0
  for (const minute of ordered) {
    open ??= { runs: 0, failures: 0 }
    open.runs += minute.runs
    open.failures += minute.failures
    before += minute.runs
    if (before * WINDOWS_MAX < runs * (windows.length + 1)) continue
    windows.push(open)
    open = null
  }
  if (open) windows.push(open)
  return { runs, failures: sum((minute) => minute.failures), failuresSquared: sum((minute) => minute.failuresSquared), windows }
}
