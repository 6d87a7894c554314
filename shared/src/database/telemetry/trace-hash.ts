import { createKeyedHash, toHashKey } from './keyed-hash.ts'

/** Bytes of a trace id. */
const TRACE_ID_BYTES = 16
const TRACE_WORDS = 5

/** Name of the row in `meta` that holds the 8 key bytes of trace hashes; written once, by the collector. */
export const TRACE_HASH_KEY = 'trace_hash_key'

/** The unsigned 64-bit hash of (project, trace id) that segments and rows name a trace by. */
export type TraceHasher = (projectNo: number, traceId: Uint8Array) => bigint

/** Writes the hash of the trace id at `idAt` of `bytes` to `out[at]` (low word) and `out[at + 1]` (high word). */
export type TraceHashWriter = (projectNo: number, bytes: Uint8Array, idAt: number, out: Uint32Array, at: number) => void

/** The same hash as `createTraceHasher`, without making a bigint: for the ingest path. */
export function createTraceHashWriter(keyBytes: Uint8Array): TraceHashWriter {
  const hash = createKeyedHash(toHashKey(keyBytes))
  const words = new Uint32Array(TRACE_WORDS)
  return (projectNo, bytes, idAt, out, at) => {
    words[0] = projectNo
    for (let i = 0; i < 4; i++) {
      const p = idAt + i * 4
      words[i + 1] = bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
    }
    hash(words, TRACE_WORDS, out, at)
  }
}

/** Hashes trace ids under the key of one telemetry.db. SQLite stores `BigInt.asIntN(64, hash)`. */
export function createTraceHasher(keyBytes: Uint8Array): TraceHasher {
  const write = createTraceHashWriter(keyBytes)
  const out = new BigUint64Array(1)
  const words = new Uint32Array(out.buffer)
  return (projectNo, traceId) => {
    if (traceId.length !== TRACE_ID_BYTES) throw new RangeError('a trace id has 16 bytes')
    write(projectNo, traceId, 0, words, 0)
    return out[0]!
  }
}
