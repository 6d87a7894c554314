import { readFileSync } from 'node:fs'
import { mulberry32 } from '../demo/random.ts'
import { until } from '../harness/http.ts'
import type { FaultRig, KeptPromise } from './fault-rig.ts'
import { ACTION, type FaultShim } from './fault-shim.ts'
import type { Answer } from './span-oracle.ts'
import { withFailingDisk } from './with-fault-rig.ts'

export interface SyncFailureReport extends KeptPromise {
  failures: number
  /** Of these, failures on the writer's own connection; the others hit a checkpoint or a decision. */
  ofWriter: number
  /** Answers of 200 to requests sent after the failure, by the process that had it: none. */
  acknowledgedAfter: number
  /** 70 each: only a restart helps. */
  exitCodes: (number | null)[]
  /** From the failed call to the end of the process, the longest. */
  exitMaxMs: number
  readyMaxMs: number
}

const NTH_MAX = 40
const POLL_MS = 1
const SETTLE_MS = 200
/** A thread other than the writer has to say so first; the writer's own fsync succeeds meanwhile and its word is good. */
const OTHER_THREAD_MS = 50

/** Under load, one fsync of the write-ahead log answers EIO, the next one would succeed; then the collector is started again. */
export function runSyncFailures({ failures, seed }: { failures: number; seed: number }): Promise<SyncFailureReport> {
  const random = mulberry32(seed)
  return withFailingDisk(async (rig, shim) => {
    const endLoad = rig.load()
    const exits: FailedSync[] = []
    let readyMaxMs = 0
    for (let failure = 0; failure < failures; failure++) {
      exits.push(await failOneSync(rig, shim, 1 + Math.floor(random() * NTH_MAX)))
      shim.clear()
      readyMaxMs = Math.max(readyMaxMs, await rig.startCollector(shim.env))
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    await endLoad()
    return {
      ...(await rig.check()),
      failures,
      ofWriter: exits.filter(({ thread }) => thread === 'writer').length,
      acknowledgedAfter: exits.reduce((sum, exit) => sum + exit.acknowledgedAfter, 0),
      exitCodes: exits.map(({ exitCode }) => exitCode),
      exitMaxMs: Math.max(...exits.map(({ exitMs }) => exitMs)),
      readyMaxMs: Math.round(readyMaxMs),
    }
  })
}

interface FailedSync {
  thread: string
  exitCode: number | null
  exitMs: number
  acknowledgedAfter: number
}

async function failOneSync(rig: FaultRig, shim: FaultShim, nth: number): Promise<FailedSync> {
  shim.set({ syncAction: ACTION.EIO, syncAfter: nth, syncTimes: 1 })
  await until('the fsync that fails', () => (shim.read('hits') > 0 ? true : null), 30_000, POLL_MS)
  const failedMs = performance.now()
  const thread = readThreadName(rig.collector().pid, shim.read('hitThread'))
  const exitCode = await rig.collector().ended()
  const endedMs = performance.now()
  const knownMs = failedMs + (thread === 'writer' ? 0 : OTHER_THREAD_MS)
  const wasLate = ({ status, sentMs, answeredMs }: Answer) => status === 200 && sentMs > knownMs && answeredMs <= endedMs
  return {
    thread,
    exitCode,
    exitMs: Math.round(endedMs - failedMs),
    acknowledgedAfter: rig.answers.filter(wasLate).length,
  }
}

function readThreadName(pid: number, thread: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim()
  } catch {
    return 'ended'
  }
}
