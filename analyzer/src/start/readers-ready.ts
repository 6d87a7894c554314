import type { Check } from '../capabilities/health/index.ts'

/** Whether who reads telemetry has tried itself out. Who never began to need not end. */
export interface ReadersReady {
  check(): Check
  await(rehearsal: Promise<void>): void
}

/** A start does not wait longer for it, in ms: a busy machine must not be without answers. */
const WAIT_MAX_MS = 1_000

export function createReadersReady(): ReadersReady {
  let isWarmingUp = false
  return {
    check: () => (isWarmingUp ? { state: 'warming up', ready: false } : { state: 'ok', ready: true }),
    await(rehearsal) {
      isWarmingUp = true
      const end = () => {
        isWarmingUp = false
        clearTimeout(timer)
      }
      const timer = setTimeout(end, WAIT_MAX_MS).unref()
      rehearsal.then(end, end)
    },
  }
}
