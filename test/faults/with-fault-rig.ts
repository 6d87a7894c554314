import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFaultRig, type FaultRig } from './fault-rig.ts'
import { createFaultShim, type FaultShim } from './fault-shim.ts'

/** Runs both services over a temporary data folder; what they left behind is removed in the end. */
export async function withFaultRig<T>(run: (rig: FaultRig, dataDir: string) => Promise<T>, env: Record<string, string> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-fault-'))
  try {
    const rig = await createFaultRig(dataDir, env)
    try {
      return await run(rig, dataDir)
    } finally {
      await rig.end()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** The same, with the shim between the collector and its write-ahead log. */
export async function withFailingDisk<T>(run: (rig: FaultRig, shim: FaultShim) => Promise<T>): Promise<T> {
  const shim = createFaultShim('telemetry.db-wal')
  try {
    return await withFaultRig((rig) => run(rig, shim), shim.env)
  } finally {
    shim.remove()
  }
}
