import { mulberry32 } from '../demo/random.ts'
import type { KeptPromise } from './fault-rig.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface StopReport extends KeptPromise {
  /** 0 each. */
  exitCodes: (number | null)[]
  stopMaxMs: number
  readyMaxMs: number
}

const STOP_WITHIN_MS = 800
const SETTLE_MS = 200

/** SIGTERM under load again and again: every request is answered or its connection reset, and the exit is clean. */
export function runStops({ stops, seed }: { stops: number; seed: number }): Promise<StopReport> {
  const random = mulberry32(seed)
  return withFaultRig(async (rig) => {
    const endLoad = rig.load(8)
    const exitCodes: (number | null)[] = []
    let stopMaxMs = 0
    let readyMaxMs = 0
    for (let stop = 0; stop < stops; stop++) {
      await wait(SETTLE_MS + random() * STOP_WITHIN_MS)
      const askedMs = performance.now()
      exitCodes.push(await rig.collector().end('SIGTERM'))
      stopMaxMs = Math.max(stopMaxMs, Math.round(performance.now() - askedMs))
      readyMaxMs = Math.max(readyMaxMs, Math.round(await rig.startCollector()))
    }
    await wait(SETTLE_MS)
    await endLoad()
    return { ...(await rig.check()), exitCodes, stopMaxMs, readyMaxMs }
  })
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
