import { Worker } from 'node:worker_threads'
import { type Refusal, refused } from '../receive/outcome.ts'
import { createDecodeLine } from './decode-line.ts'
import type { DecodeJob, DecodeResult, DecodeWorkerData } from './decode-messages.ts'
import type { Prepared, RawBody } from './prepare.ts'

/** Decodes bodies off the main thread. */
export interface DecodePool {
  /** The body's memory moves to the worker: the caller's array is empty afterwards. Rejects where the worker failed. */
  decode(raw: RawBody): Promise<Prepared | Refusal>
  close(): Promise<void>
}

/** Bodies that may wait for a worker; beyond it the sender is asked to come again. */
const WAITING_MAX = 512
/**
 * What a worker is given ahead, in guessed bytes to decode, so that it has work while the main thread is busy. It is little:
 * what a worker was given cannot be overtaken any more.
 */
const AHEAD_MAX_BYTES = 256 * 1024
/** How much larger a compressed body is guessed to become. */
const INFLATED_GUESS = 16

interface Slot {
  worker: Worker
  /** Guessed bytes of what it was given and has not answered. */
  busy: number
}

interface Job {
  raw: RawBody
  cost: number
  resolve(prepared: Prepared): void
  reject(error: Error): void
}

/**
 * A pool of workers that each take one body after the other, project by project: a flood of bodies that are dear to decode makes
 * its own project wait. `onFailure` is told when a worker ended, which is a bug or lack of memory: the process is of no use then.
 */
export function createDecodePool(workers: number, data: DecodeWorkerData, onFailure: (error: Error) => void): DecodePool {
  const line = createDecodeLine<Job>()
  const running = new Map<number, { job: Job; slot: Slot }>()
  let nextId = 1

  function give(slot: Slot): void {
    for (;;) {
      const job = line.peek()
      if (!job || (slot.busy > 0 && slot.busy + job.cost > AHEAD_MAX_BYTES)) return
      line.take()
      const id = nextId++
      running.set(id, { job, slot })
      slot.busy += job.cost
      const { raw } = job
      slot.worker.postMessage({ id, raw } satisfies DecodeJob, raw.bytes.length > 0 ? [raw.bytes.buffer as ArrayBuffer] : [])
    }
  }

  const slots = Array.from({ length: workers }, () => {
    const worker = new Worker(new URL('./decode-worker.ts', import.meta.url), { workerData: data, name: 'decode' })
    const slot: Slot = { worker, busy: 0 }
    worker.on('message', (result: DecodeResult) => {
      const done = running.get(result.id)
      running.delete(result.id)
      slot.busy -= done?.job.cost ?? 0
      give(slot)
      if ('prepared' in result) done?.job.resolve(result.prepared)
      else done?.job.reject(new Error(result.failed))
    })
    worker.on('error', onFailure)
    return slot
  })

  return {
    decode(raw) {
      if (line.size() >= WAITING_MAX) return Promise.resolve(refused('queue_full', 'too many bodies wait to be decoded'))
      const cost = raw.bytes.length * (raw.compression === 'identity' ? 1 : INFLATED_GUESS) + 1
      return new Promise((resolve, reject) => {
        line.add(raw.projectNo, { raw, cost, resolve, reject })
        give(slots.reduce((least, one) => (one.busy < least.busy ? one : least)))
      })
    },
    close: async () => {
      await Promise.all(slots.map(({ worker }) => worker.terminate()))
    },
  }
}
