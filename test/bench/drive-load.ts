import { Worker } from 'node:worker_threads'
import type { LoadJob, LoadResult } from './load-messages.ts'

/** Runs a load in a thread of its own. `onBegin` is told when warming up is over and the clock starts. */
export function driveLoad(job: LoadJob, onBegin: () => void = () => {}): Promise<LoadResult> {
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: job, name: 'load' })
  return new Promise((resolve, reject) => {
    worker.on('message', (message: 'begin' | LoadResult) => {
      if (message === 'begin') onBegin()
      else resolve(message)
    })
    worker.on('error', reject)
    worker.on('exit', () => reject(new Error('the load thread ended without a result')))
  })
}
