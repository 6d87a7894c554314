import { parentPort, workerData } from 'node:worker_threads'
import type { DecodeJob, DecodeResult, DecodeWorkerData } from './decode-messages.ts'
import { ownBytes } from './own-bytes.ts'
import { type Prepared, prepare } from './prepare.ts'
import { createSpanKeyer } from './span-keys.ts'

const { hashKey, limits } = workerData as DecodeWorkerData
const keyer = createSpanKeyer(hashKey)

parentPort!.on('message', (job: DecodeJob) => {
  const result = run(job)
  parentPort!.postMessage(result, 'prepared' in result ? buffersOf(result.prepared) : [])
})

function run({ id, raw }: DecodeJob): DecodeResult {
  try {
    const prepared = prepare(raw, limits, keyer)
    return { id, prepared: prepared.kind === 'traces' ? { ...prepared, body: ownBytes(prepared.body) } : prepared }
  } catch (error) {
    return { id, failed: `${(error as Error).name}: ${(error as Error).message}` }
  }
}

/** Moved, not copied. */
function buffersOf(prepared: Prepared): ArrayBuffer[] {
  if (prepared.kind !== 'traces') return []
  const { body, scan, keys } = prepared
  const { count: _count, ...columns } = scan
  const arrays = [body, ...Object.values(columns), ...Object.values(keys)]
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))].filter((buffer) => buffer.byteLength > 0)
}
