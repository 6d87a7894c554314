import type { KeptPromise } from './fault-rig.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface PauseReport extends KeptPromise {
  pauses: number
  /** From SIGCONT to the next acknowledgement, the longest. */
  resumedMaxMs: number
  crashed: boolean
}

const BETWEEN_MS = 400

/** Freezes the collector under load and lets it go on: what was under way is committed once, whoever still waits for it. */
export function runPauses({ pauses, pauseMs }: { pauses: number; pauseMs: number }): Promise<PauseReport> {
  return withFaultRig(async (rig) => {
    const { pid } = rig.collector()
    const endLoad = rig.load()
    let resumedMaxMs = 0
    for (let pause = 0; pause < pauses; pause++) {
      await wait(BETWEEN_MS)
      process.kill(pid, 'SIGSTOP')
      await wait(pauseMs)
      const known = rig.answers.length
      const resumedMs = performance.now()
      process.kill(pid, 'SIGCONT')
      await wait(BETWEEN_MS)
      const next = rig.answers.slice(known).find(({ status }) => status === 200)
      resumedMaxMs = Math.max(resumedMaxMs, (next?.answeredMs ?? Number.POSITIVE_INFINITY) - resumedMs)
    }
    await endLoad()
    rig.collector().throwIfEnded()
    return { ...(await rig.check()), pauses, resumedMaxMs: Math.round(resumedMaxMs), crashed: rig.collector().pid !== pid }
  })
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
