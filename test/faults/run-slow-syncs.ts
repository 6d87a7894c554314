import type { KeptPromise } from './fault-rig.ts'
import { type HealthSeen, watchHealth } from './watch-health.ts'
import { withFailingDisk } from './with-fault-rig.ts'

export interface SlowSyncReport extends KeptPromise {
  delayMs: number
  syncs: number
  health: HealthSeen
}

/** Every fsync of the write-ahead log takes `delayMs` longer: acknowledgements wait for it, `/health` does not. */
export function runSlowSyncs({ delayMs, forMs }: { delayMs: number; forMs: number }): Promise<SlowSyncReport> {
  return withFailingDisk(async (rig, shim) => {
    shim.set({ syncDelayMs: delayMs, syncs: 0 })
    const endWatch = watchHealth(rig.otlpUrl())
    const endLoad = rig.load(16)
    await new Promise((resolve) => setTimeout(resolve, forMs))
    await endLoad()
    const health = await endWatch()
    const syncs = shim.read('syncs')
    shim.clear()
    return { ...(await rig.check()), delayMs, syncs, health }
  })
}
