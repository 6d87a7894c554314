/** Runs of which the fastest counts: a busy machine makes single ones slow, never faster than they are. */
const RUNS = 9

/** Processor time of this thread in ms, the least of several runs: what others do on the machine does not count. */
export function fastestMs(run: () => unknown): number {
  const times = Array.from({ length: RUNS }, () => {
    const before = process.threadCpuUsage()
    run()
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...times)
}

/** Tries of a comparison: on a crowded machine one of the two sides may be slowed more than the other; quadratic cost fails them all. */
const TRIES = 6

/** Whether twice the input costs about twice the time, with 5 ms for what the clock cannot see. */
export function isLinear(half: () => unknown, whole: () => unknown): boolean {
  return Array.from({ length: TRIES }).some(() => fastestMs(whole) < 2.5 * fastestMs(half) + 5)
}
