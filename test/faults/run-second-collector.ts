import type { KeptPromise } from './fault-rig.ts'
import { startAndFail } from './run-damaged-files.ts'
import { withFaultRig } from './with-fault-rig.ts'

/** Starts a second collector on a folder that is in use, under load. */
export function runSecondCollector(): Promise<KeptPromise & { exitCode: number | null; line: string }> {
  return withFaultRig(async (rig, dataDir) => {
    const endLoad = rig.load(2)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const second = await startAndFail(dataDir)
    await endLoad()
    rig.collector().throwIfEnded()
    return { ...(await rig.check()), ...second }
  })
}
