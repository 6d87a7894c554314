import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { ProtoWriter } from '@loopkit/shared/otlp/proto-writer'
import type { DecodeJob, DecodeResult, DecodeWorkerData } from './decode-messages.ts'
import { ownBytes } from './own-bytes.ts'
import { type Prepared, type PreparedTraces, prepare, type RawBody } from './prepare.ts'
import { createSpanKeyer } from './span-keys.ts'

/** The writer of usual bodies is kept; a larger one goes with its body. */
const WRITER_BYTES = 1024 ** 2

const { hashKey, limits } = workerData as DecodeWorkerData
const keyer = createSpanKeyer(hashKey)
let writer = new ProtoWriter(WRITER_BYTES)

parentPort!.on('message', (job: DecodeJob) => {
  const result = run(job)
  parentPort!.postMessage(result, 'prepared' in result ? buffersOf(result.prepared) : [])
})
flushCompileCache()

function run({ id, raw }: DecodeJob): DecodeResult {
  if (writer.bytes.length > WRITER_BYTES) writer = new ProtoWriter(WRITER_BYTES)
  try {
    // The memory of the body came with it and is all ours.
    const prepared = prepare(raw, limits, keyer, { writer, target: new Uint8Array(raw.bytes.buffer) })
    return { id, prepared: prepared.kind === 'traces' ? movable(prepared, raw) : prepared }
  } catch (error) {
    return { id, failed: `${(error as Error).name}: ${(error as Error).message}` }
  }
}

/** In memory that can be moved: that of the body as it came, or its own. */
function movable(prepared: PreparedTraces, { bytes }: RawBody): PreparedTraces {
  return prepared.body.buffer === bytes.buffer ? prepared : { ...prepared, body: ownBytes(prepared.body) }
}

/** Moved, not copied. */
function buffersOf(prepared: Prepared): ArrayBuffer[] {
  if (prepared.kind !== 'traces') return []
  const { body, scan, keys } = prepared
  const { count: _count, ...columns } = scan
  const arrays = [body, ...Object.values(columns), ...Object.values(keys)]
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))].filter((buffer) => buffer.byteLength > 0)
}
