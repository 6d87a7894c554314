import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { DecideReport, DecideWorkerData } from './messages.ts'

export interface DeciderClient {
  close(): Promise<void>
}

/** Resolves when the thread has opened the file; rejects where it cannot. */
export async function startDecider(
  data: DecideWorkerData,
  onReport: (report: DecideReport) => void,
  onFailure: (error: Error) => void,
): Promise<DeciderClient> {
  const worker = new Worker(new URL('./decide-worker.ts', import.meta.url), { workerData: data, name: 'decide' })
  await once(worker, 'message')
  worker.on('message', onReport)
  worker.on('error', onFailure)
  return {
    close: () =>
      new Promise((resolve) => {
        worker.once('exit', () => resolve())
        worker.postMessage('close')
      }),
  }
}
