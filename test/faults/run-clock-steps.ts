import { callApi, until } from '../harness/http.ts'
import { createClockShim } from './clock-shim.ts'
import type { KeptPromise } from './fault-rig.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface ClockStepReport extends KeptPromise {
  /** From a step to the next acknowledgement, the longest. */
  resumedMaxMs: number
  /** The collector was ready after every step. */
  stayedReady: boolean
  /** Durations below zero in what the collector logged or measured. */
  negativeDurations: number
  crashed: boolean
}

const HOUR_MS = 3_600_000
/** An hour back, three ahead, years ahead, then right again: what NTP, administrators and empty batteries do. */
const STEPS_MS = [-HOUR_MS, 3 * HOUR_MS, 1_000 * 24 * HOUR_MS, 0]
const BETWEEN_MS = 700

/** Sets the collector's clock under load, its monotonic clock untouched: nothing is lost, expires or stands still. */
export async function runClockSteps(): Promise<ClockStepReport> {
  const clock = createClockShim()
  const env = {
    ...clock.env,
    LOOPKIT_QUIET_MS: '200',
    LOOPKIT_SUMMARY_MS: '300',
    LOOPKIT_RETENTION_EVERY_MS: '100',
  }
  try {
    return await withFaultRig(async (rig) => {
      const { pid } = rig.collector()
      const endLoad = rig.load()
      await wait(BETWEEN_MS)
      let resumedMaxMs = 0
      let stayedReady = true
      for (const step of STEPS_MS) {
        const steppedMs = performance.now()
        clock.setOffset(step)
        const next = await until(
          'the next acknowledgement',
          () => rig.answers.find(({ status, sentMs }) => status === 200 && sentMs > steppedMs) ?? null,
        )
        resumedMaxMs = Math.max(resumedMaxMs, next.answeredMs - steppedMs)
        await wait(BETWEEN_MS)
        stayedReady &&= (await callApi(`${rig.otlpUrl()}/readyz`)).status === 200
      }
      await endLoad()
      rig.collector().throwIfEnded()
      const metrics = (await callApi(`${rig.otlpUrl()}/metrics`)).text
      const negativeDurations = [
        ...metrics.matchAll(/_seconds_sum\S* -/g),
        ...rig
          .collector()
          .output()
          .matchAll(/_ms":-/g),
      ].length
      const { accepted, ...promise } = await rig.check()
      // The ledger is asked for the last day by another clock; what was counted in the hours ahead is not yet in it.
      const kept =
        promise.lost + promise.doubled + promise.spurious.length + promise.changed.length === 0 && promise.acknowledged > 0
      return {
        ...promise,
        accepted,
        kept,
        resumedMaxMs: Math.round(resumedMaxMs),
        stayedReady,
        negativeDurations,
        crashed: rig.collector().pid !== pid,
      }
    }, env)
  } finally {
    clock.remove()
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
