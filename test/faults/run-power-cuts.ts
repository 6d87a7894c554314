import { execFileSync } from 'node:child_process'
import { mulberry32 } from '../demo/random.ts'
import { createLoopDisk } from './fault-disk.ts'
import { createFaultRig, type KeptPromise } from './fault-rig.ts'
import { ACTION, createFaultShim } from './fault-shim.ts'

export interface PowerCutOptions {
  cuts: number
  seed: number
  /** The control: the collector's fsync and fdatasync do nothing, so that spans must get lost. */
  withoutSync?: boolean
  onCut?: (what: string) => void
}

export interface PowerCutReport extends KeptPromise {
  cuts: number
  /** Longest time from the start of the collector to ready, after a cut. */
  readyMaxMs: number
}

const CUT_AFTER_MIN_MS = 300
const CUT_WITHIN_MS = 900

/**
 * Cuts the power of the collector's disk again and again while spans stream in, restarts it on what was on the disk, and
 * compares that with what was acknowledged.
 */
export async function runPowerCuts({
  cuts,
  seed,
  withoutSync = false,
  onCut = () => {},
}: PowerCutOptions): Promise<PowerCutReport> {
  const random = mulberry32(seed)
  const disk = createLoopDisk()
  const shim = withoutSync ? createFaultShim('') : null
  try {
    const rig = await createFaultRig(disk.dataDir, shim?.env)
    try {
      // Its files must not keep the file system busy, and its own promises are not what is tested here.
      await rig.endAnalyzer()
      execFileSync('sync', ['-f', disk.dataDir])
      shim?.set({ syncAction: ACTION.swallow, syncAfter: 1, syncTimes: -1 })
      let readyMaxMs = 0
      const endLoad = rig.load()
      for (let cut = 1; cut <= cuts; cut++) {
        const afterMs = Math.round(CUT_AFTER_MIN_MS + random() * CUT_WITHIN_MS)
        await pause(afterMs)
        disk.cutPower()
        await rig.collector().end('SIGKILL')
        disk.replug()
        readyMaxMs = Math.max(readyMaxMs, await rig.startCollector(shim?.env))
        onCut(`power cut ${cut} after ${afterMs} ms, ${rig.acknowledged()} spans acknowledged`)
      }
      await pause(CUT_AFTER_MIN_MS)
      await endLoad()
      await rig.startAnalyzer()
      return { ...(await rig.check()), cuts, readyMaxMs: Math.round(readyMaxMs) }
    } finally {
      await rig.end()
    }
  } finally {
    disk.remove()
    shim?.remove()
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
