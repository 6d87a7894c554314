import { parentPort, workerData } from 'node:worker_threads'
import { readCorpus } from './corpus.ts'
import { BLOCK_BODIES, type FuzzReport, type FuzzWorkerData } from './fuzz-messages.ts'
import { createProductPath } from './product-path.ts'
import { runBlock } from './run-block.ts'
import { threadCpuMs } from './thread-cpu-ms.ts'

const { seed, from, to, thread, threads, progress } = workerData as FuzzWorkerData
Error.stackTraceLimit = 0
const underWay = new Int32Array(progress)
const corpus = readCorpus()
const report = (message: FuzzReport) => parentPort!.postMessage(message)

for (let block = Math.floor(from / BLOCK_BODIES) + thread; block * BLOCK_BODIES < to; block += threads) {
  const first = Math.max(from, block * BLOCK_BODIES)
  const last = Math.min(to, (block + 1) * BLOCK_BODIES)
  const { counts, slowestMs, failure } = runBlock({
    seed,
    from: first,
    to: last,
    corpus,
    createPath: createProductPath,
    monotonicMs: () => performance.now(),
    cpuMs: threadCpuMs,
    onBody: (n) => Atomics.store(underWay, thread, n),
  })
  report({ kind: 'block', bodies: last - first, counts, slowestMs })
  if (failure) report({ kind: 'failure', failure })
}
