import { mulberry32 } from '../demo/random.ts'
import type { KeptPromise } from './fault-rig.ts'
import { ACTION } from './fault-shim.ts'
import { withFailingDisk } from './with-fault-rig.ts'

const NTH_MAX = 60
const SETTLE_MS = 200

/** Moments at which a process dies with its write-ahead log half written. */
const MOMENTS = ['before an fsync', 'after an fsync', 'before a write', 'in the middle of a write'] as const

/** Kills the collector exactly at its Nth write or fsync of the write-ahead log, under load; the moments take turns. */
export function runCallKills({ kills, seed }: { kills: number; seed: number }): Promise<KeptPromise & { kills: number }> {
  const random = mulberry32(seed)
  return withFailingDisk(async (rig, shim) => {
    const endLoad = rig.load()
    for (let kill = 0; kill < kills; kill++) {
      const moment = MOMENTS[kill % MOMENTS.length]!
      const action = moment.startsWith('before') ? ACTION.killBefore : ACTION.killAfter
      const nth = 1 + Math.floor(random() * NTH_MAX)
      if (moment.endsWith('fsync')) shim.set({ syncAction: action, syncAfter: nth, syncTimes: 1 })
      else shim.set({ writeAction: action, writeAfter: nth, writeTimes: 1 })
      await rig.collector().ended()
      shim.clear()
      await rig.startCollector(shim.env)
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    await endLoad()
    return { ...(await rig.check()), kills }
  })
}
