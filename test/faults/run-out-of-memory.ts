import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { callApi } from '../harness/http.ts'
import type { KeptPromise } from './fault-rig.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface OutOfMemoryReport extends KeptPromise {
  /** null: the kernel's signal ended it. */
  exitCode: number | null
}

const MEMORY_GROUPS = '/sys/fs/cgroup/memory'
/** Counts from the moment the process comes in; what it has already is not in it. */
const LIMIT_BYTES = 24 * 1024 ** 2
const BODY_BYTES = 16 * 1024 ** 2
const SENDERS = 6
const LOAD_MS = 500

/** Why memory cannot be limited here, or null. */
export function whyNoMemoryGroup(): string | null {
  const folder = join(MEMORY_GROUPS, `loopkit-probe-${process.pid}`)
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, 'memory.limit_in_bytes'), String(LIMIT_BYTES))
    return null
  } catch {
    return 'memory cgroups (version 1) cannot be made here'
  } finally {
    removeGroup(folder)
  }
}

/** The kernel kills the collector for its memory, under load; it is started again. */
export async function runOutOfMemory(): Promise<OutOfMemoryReport> {
  const group = join(MEMORY_GROUPS, `loopkit-test-${process.pid}`)
  mkdirSync(group)
  try {
    return await withFaultRig(async (rig) => {
      const endLoad = rig.load()
      await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
      writeFileSync(join(group, 'memory.limit_in_bytes'), String(LIMIT_BYTES))
      writeFileSync(join(group, 'cgroup.procs'), String(rig.collector().pid))
      let ended = false
      const exit = rig
        .collector()
        .ended()
        .then((code) => {
          ended = true
          return code
        })
      const body = JSON.stringify({ padding: 'x'.repeat(BODY_BYTES) })
      const headers = { 'content-type': 'application/json' }
      const press = async () => {
        while (!ended)
          await callApi(`${rig.otlpUrl()}/v1/traces`, { key: rig.keys.producer_key, body, headers }).catch(() => null)
      }
      await Promise.all(Array.from({ length: SENDERS }, press))
      const exitCode = await exit
      await rig.startCollector()
      await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
      await endLoad()
      return { ...(await rig.check()), exitCode }
    })
  } finally {
    removeGroup(group)
  }
}

function removeGroup(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // It was never made, or its last process is just going.
  }
}
