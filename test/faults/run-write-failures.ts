import type { KeptPromise } from './fault-rig.ts'
import { ACTION } from './fault-shim.ts'
import { type HealthSeen, watchHealth } from './watch-health.ts'
import { withFailingDisk } from './with-fault-rig.ts'

export interface WriteFailureReport extends KeptPromise {
  failures: number
  /** The process that had the failures is the one that ends in the end. */
  crashed: boolean
  health: HealthSeen
}

const FAILURES = ['EIO', 'ENOSPC', 'EROFS'] as const
const NTH = 20
const BETWEEN_MS = 250

/** Under load, single writes of the write-ahead log fail: each group is taken back and sent again, the process goes on. */
export function runWriteFailures({ failures }: { failures: number }): Promise<WriteFailureReport> {
  return withFailingDisk(async (rig, shim) => {
    const { pid } = rig.collector()
    const endWatch = watchHealth(rig.otlpUrl())
    const endLoad = rig.load()
    for (let failure = 0; failure < failures; failure++) {
      shim.set({ writeAction: ACTION[FAILURES[failure % FAILURES.length]!], writeAfter: NTH, writeTimes: 1 })
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS))
    }
    const hits = shim.read('hits')
    shim.clear()
    await endLoad()
    const health = await endWatch()
    return { ...(await rig.check()), failures: hits, crashed: rig.collector().pid !== pid || hasEnded(rig.collector()), health }
  })
}

function hasEnded(service: { throwIfEnded(): void }): boolean {
  try {
    service.throwIfEnded()
    return false
  } catch {
    return true
  }
}
