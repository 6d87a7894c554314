import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { freeMemory } from '@loopkit/shared/otlp/free-memory'
import { ProtoWriter } from '@loopkit/shared/otlp/proto-writer'
import { createGarbageCollector } from '@loopkit/shared/runtime/garbage'
import type { DecodeJob, DecodeResult, DecodeWorkerData } from './decode-messages.ts'
import { ownBytes } from './own-bytes.ts'
import { type Prepared, type PreparedTraces, prepare, type RawBody } from './prepare.ts'
import { createSpanKeyer } from './span-keys.ts'

/** The writer of usual bodies is kept; a larger one goes with its body. */
const WRITER_BYTES = 1024 ** 2

const { hashKey, limits } = workerData as DecodeWorkerData
const keyer = createSpanKeyer(hashKey)
let writer = new ProtoWriter(WRITER_BYTES)
const garbage = createGarbageCollector()

parentPort!.on('message', (job: DecodeJob) => {
  const result = run(job)
  parentPort!.postMessage(result, 'prepared' in result ? buffersOf(result.prepared) : [])
  // What came and did not go back.
  freeMemory(job.raw.bytes)
  garbage.afterWork()
})
flushCompileCache()

function run({ id, raw }: DecodeJob): DecodeResult {
  try {
    // The memory of the body came with it and is all ours.
    const prepared = prepare(raw, limits, keyer, { writer, target: new Uint8Array(raw.bytes.buffer) })
    return { id, prepared: prepared.kind === 'traces' ? movable(prepared, raw) : prepared }
  } catch (error) {
    return { id, failed: `${(error as Error).name}: ${(error as Error).message}` }
  } finally {
    if (writer.bytes.length > WRITER_BYTES) {
      freeMemory(writer.bytes)
      writer = new ProtoWriter(WRITER_BYTES)
    }
  }
}

/** In memory that can be moved: that of the body as it came, or its own. */
function movable(prepared: PreparedTraces, { bytes }: RawBody): PreparedTraces {
  const { body } = prepared
  if (body.buffer === bytes.buffer) return prepared
  const own = ownBytes(body)
  if (own.buffer !== body.buffer) freeMemory(body)
  return { ...prepared, body: own }
}

/** Moved, not copied. */
function buffersOf(prepared: Prepared): ArrayBuffer[] {
  if (prepared.kind !== 'traces') return []
  const { body, scan, keys } = prepared
  const { count: _count, ...columns } = scan
  const arrays = [body, ...Object.values(columns), ...Object.values(keys)]
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))].filter((buffer) => buffer.byteLength > 0)
}
