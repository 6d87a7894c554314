import { Worker } from 'node:worker_threads'
import { type Refusal, refused } from '../receive/outcome.ts'
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

interface Slot {
  worker: Worker
  running: number
}

/**
 * A pool of workers that each take one body after the other. `onFailure` is told when a worker ended, which is a bug
 * or lack of memory: the process is of no use then.
 */
export function createDecodePool(workers: number, data: DecodeWorkerData, onFailure: (error: Error) => void): DecodePool {
  const waiting = new Map<number, { resolve: (prepared: Prepared) => void; reject: (error: Error) => void }>()
  let nextId = 1
  const slots: Slot[] = Array.from({ length: workers }, () => {
    const worker = new Worker(new URL('./decode-worker.ts', import.meta.url), { workerData: data, name: 'decode' })
    const slot: Slot = { worker, running: 0 }
    worker.on('message', (result: DecodeResult) => {
      slot.running--
      const job = waiting.get(result.id)
      waiting.delete(result.id)
      if ('prepared' in result) job?.resolve(result.prepared)
      else job?.reject(new Error(result.failed))
    })
    worker.on('error', onFailure)
    return slot
  })

  return {
    decode(raw) {
      if (waiting.size >= WAITING_MAX) return Promise.resolve(refused('queue_full', 'too many bodies wait to be decoded'))
      const slot = slots.reduce((least, one) => (one.running < least.running ? one : least))
      const id = nextId++
      slot.running++
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        slot.worker.postMessage({ id, raw } satisfies DecodeJob, raw.bytes.length > 0 ? [raw.bytes.buffer as ArrayBuffer] : [])
      })
    },
    close: async () => {
      await Promise.all(slots.map(({ worker }) => worker.terminate()))
    },
  }
}
