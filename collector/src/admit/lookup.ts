import { Worker } from 'node:worker_threads'
import type { LookupJob, LookupResult, LookupWorkerData } from './lookup-messages.ts'

/** The store does not answer now: the sender may try again. */
export class StoreUnreadableError extends Error {
  override readonly name = 'StoreUnreadableError'
}

/** Asks the store, in a worker, for spans that memory cannot answer for. */
export interface Lookup {
  /** One of STORED per span. Rejects with a StoreUnreadableError where the store cannot be read. */
  find(projectNo: number, refs: Uint8Array): Promise<Uint8Array>
  /** Starts the thread and opens the store. Where that fails, the next question says so. */
  warm(): Promise<void>
  close(): Promise<void>
}

const NOTHING = new Uint8Array(0)

/** The thread is started by `warm` or the first question: without a restart in between there is none. */
export function createLookup(data: LookupWorkerData, onFailure: (error: Error) => void): Lookup {
  const waiting = new Map<number, { resolve: (stored: Uint8Array) => void; reject: (error: Error) => void }>()
  let worker: Worker | null = null
  let nextId = 1

  function start(): Worker {
    const started = new Worker(new URL('./lookup-worker.ts', import.meta.url), { workerData: data, name: 'lookup' })
    started.on('error', onFailure)
    started.on('message', (result: LookupResult) => {
      const job = waiting.get(result.id)
      waiting.delete(result.id)
      if ('stored' in result) job?.resolve(result.stored)
      else job?.reject(new StoreUnreadableError(result.failed))
    })
    return started
  }

  function find(projectNo: number, refs: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const id = nextId++
      waiting.set(id, { resolve, reject })
      worker ??= start()
      worker.postMessage({ id, projectNo, refs } satisfies LookupJob)
    })
  }

  return {
    find,
    warm: () =>
      find(0, NOTHING).then(
        () => {},
        () => {},
      ),
    close: async () => {
      await worker?.terminate()
    },
  }
}
