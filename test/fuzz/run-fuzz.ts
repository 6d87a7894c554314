import { Worker } from 'node:worker_threads'
import type { FuzzCounts, FuzzFailure, FuzzReport, FuzzWorkerData } from './fuzz-messages.ts'

export interface FuzzOptions {
  seed: number
  from: number
  to: number
  threads: number
  onProgress(bodies: number): void
  /** Told at once: a run may take long, or be ended. */
  onFailure(failure: FuzzFailure): void
}

export interface FuzzSummary {
  bodies: number
  seconds: number
  counts: FuzzCounts
  failures: FuzzFailure[]
}

/** A body that is not done after this long never will be, in ms. */
const HANG_MS = 60_000
const LOOK_EVERY_MS = 5_000

/** Checks bodies in several threads. A hang ends the run and is a failure as any other. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzSummary> {
  const { seed, from, to, threads } = options
  const progress = new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT)
  const summary: FuzzSummary = { bodies: 0, seconds: 0, counts: {}, failures: [] }
  const startMs = performance.now()
  const workers = Array.from({ length: threads }, (_, thread) => {
    const workerData: FuzzWorkerData = { seed, from, to, thread, threads, progress }
    return new Worker(new URL('./fuzz-worker.ts', import.meta.url), { workerData, name: `fuzz-${thread}` })
  })
  const ends = workers.map((worker) => {
    worker.on('message', (report: FuzzReport) => note(summary, report, options))
    return new Promise<void>((resolve, reject) => {
      worker.on('error', reject)
      worker.on('exit', () => resolve())
    })
  })
  const endWatch = watchForHangs(new Int32Array(progress), workers, (failure) =>
    note(summary, { kind: 'failure', failure }, options),
  )
  try {
    await Promise.all(ends)
  } finally {
    endWatch()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  summary.seconds = (performance.now() - startMs) / 1000
  return summary
}

function note(summary: FuzzSummary, report: FuzzReport, { onProgress, onFailure }: FuzzOptions): void {
  if (report.kind === 'failure') {
    summary.failures.push(report.failure)
    onFailure(report.failure)
    return
  }
  summary.bodies += report.bodies
  for (const [what, count] of Object.entries(report.counts)) summary.counts[what] = (summary.counts[what] ?? 0) + count
  onProgress(summary.bodies)
}

function watchForHangs(underWay: Int32Array, workers: readonly Worker[], onHang: (failure: FuzzFailure) => void): () => void {
  const seen = workers.map(() => ({ n: -1, sinceMs: performance.now() }))
  const timer = setInterval(() => {
    const nowMs = performance.now()
    workers.forEach((worker, thread) => {
      const n = Atomics.load(underWay, thread)
      const before = seen[thread]!
      if (n !== before.n || worker.threadId < 0) seen[thread] = { n, sinceMs: nowMs }
      else if (nowMs - before.sinceMs > HANG_MS) {
        onHang({ n, message: `not done after ${HANG_MS} ms`, stack: '', what: 'a body', body: '', isAlone: true })
        void worker.terminate()
        before.sinceMs = nowMs
      }
    })
  }, LOOK_EVERY_MS)
  return () => clearInterval(timer)
}
