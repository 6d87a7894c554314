import { createKeyedHash, toHashKey } from '@loopkit/shared/database/telemetry/keyed-hash'
import { createTraceHashWriter } from '@loopkit/shared/database/telemetry/trace-hash'
import { REJECT_REASONS, type TraceScan } from '@loopkit/shared/otlp/scan-traces'

/** What dedupe knows a body's spans by, one row per row of the scan. Rows of rejected spans hold zeros. */
export interface SpanKeys {
  /** Pairs of low and high word: keyed hash of (project, trace id). */
  traces: Uint32Array
  /** Pairs of low and high word: keyed hash of (trace hash, span id). */
  spans: Uint32Array
  /** Hash of the span's bytes: tells a repeated span from another one under the same id. */
  contents: Uint32Array
  ended: Uint8Array
}

export type SpanKeyer = (projectNo: number, body: Uint8Array, scan: TraceScan) => SpanKeys

const ACCEPTED = REJECT_REASONS.indexOf('accepted')

export function createSpanKeyer(keyBytes: Uint8Array): SpanKeyer {
  const hashTrace = createTraceHashWriter(keyBytes)
  const hash = createKeyedHash(toHashKey(keyBytes))
  const words = new Uint32Array(4)
  return (projectNo, body, scan) => {
    const { count } = scan
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    // One piece of memory, as in the scan.
    const memory = new ArrayBuffer(count * 21)
    const keys = {
      traces: new Uint32Array(memory, 0, count * 2),
      spans: new Uint32Array(memory, count * 8, count * 2),
      contents: new Uint32Array(memory, count * 16, count),
      ended: new Uint8Array(memory, count * 20, count),
    }
    const endWords = new Uint32Array(scan.endNano.buffer, scan.endNano.byteOffset, count * 2)
    let before = -1
    for (let i = 0; i < count; i++) {
      if (scan.reject[i] !== ACCEPTED) continue
      const traceAt = scan.traceIdAt[i]!
      // Neighbours are mostly of one trace.
      if (before >= 0 && isSameId(view, scan.traceIdAt[before]!, traceAt)) {
        keys.traces[i * 2] = keys.traces[before * 2]!
        keys.traces[i * 2 + 1] = keys.traces[before * 2 + 1]!
      } else hashTrace(projectNo, body, traceAt, keys.traces, i * 2)
      before = i
      const spanAt = scan.spanIdAt[i]!
      words[0] = keys.traces[i * 2]!
      words[1] = keys.traces[i * 2 + 1]!
      words[2] = view.getUint32(spanAt, true)
      words[3] = view.getUint32(spanAt + 4, true)
      hash(words, 4, keys.spans, i * 2)
      keys.contents[i] = hashContent(view, scan.spanStart[i]!, scan.spanEnd[i]!)
      if (endWords[i * 2] !== 0 || endWords[i * 2 + 1] !== 0) keys.ended[i] = 1
    }
    return keys
  }
}

function isSameId(view: DataView, a: number, b: number): boolean {
  for (let i = 0; i < 16; i += 4) if (view.getInt32(a + i) !== view.getInt32(b + i)) return false
  return true
}

/**
 * Not keyed and only 32 bits wide: it decides what is counted as a conflict, never what is stored. Four lanes, so that the
 * multiplications of one do not wait for those of another: this reads every byte that comes in.
 */
export function hashContent(view: DataView, start: number, end: number): number {
  let a = 0x9e3779b1 ^ (end - start)
  let b = 0x85ebca6b
  let c = 0x27d4eb2f
  let d = 0x165667b1
  let p = start
  for (; p + 16 <= end; p += 16) {
    a = (Math.imul(a, MULTIPLIER) + view.getInt32(p, true)) | 0
    b = (Math.imul(b, MULTIPLIER) + view.getInt32(p + 4, true)) | 0
    c = (Math.imul(c, MULTIPLIER) + view.getInt32(p + 8, true)) | 0
    d = (Math.imul(d, MULTIPLIER) + view.getInt32(p + 12, true)) | 0
  }
  for (; p < end; p++) a = (Math.imul(a, MULTIPLIER) + view.getUint8(p)) | 0
  let hash = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d) ^ b
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ c
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ d
  hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39)
  return (hash ^ (hash >>> 16)) >>> 0
}

const MULTIPLIER = 0xcc9e2d51
