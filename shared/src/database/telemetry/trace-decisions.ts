import type { SqliteDatabase } from '../open.ts'
import { addTo, createTraceRuns, eachFoldedTrace, type TraceRunsOptions } from './trace-runs.ts'

/** The decisions that judged a trace, oldest first. */
export type TraceDecisions = (projectNo: number, hash: bigint) => number[]

const HASH_BYTES = 8

/** Asks the folded runs, then the few decisions that are not folded yet. `hash` as stored (signed) or unsigned. */
export function createTraceDecisions(db: SqliteDatabase): TraceDecisions {
  const runs = createTraceRuns(db)
  const unfolded = db.prepare('select decision_no, trace_hashes from unfolded_decision where project_no = ? order by decision_no')
  return (projectNo, hash) => {
    const found = [...runs.find(projectNo, 'decision', [hash]).keys()]
    const wanted = Buffer.alloc(HASH_BYTES)
    wanted.writeBigUInt64BE(BigInt.asUintN(64, hash))
    for (const row of unfolded.iterate(projectNo) as IterableIterator<{ decision_no: number; trace_hashes: Uint8Array }>)
      if (holdsHash(row.trace_hashes, wanted)) found.push(row.decision_no)
    return found.sort((a, b) => a - b)
  }
}

/** Decisions with those of these traces that they judged, oldest first. */
export type DecisionsOfTraces = (projectNo: number, hashes: readonly bigint[]) => [decisionNo: number, hashes: bigint[]][]

/** The same for many traces at a time. Hashes as stored (signed). */
export function createDecisionsOfTraces(db: SqliteDatabase, options: TraceRunsOptions = {}): DecisionsOfTraces {
  const runs = createTraceRuns(db, options)
  const unfolded = db.prepare('select decision_no, trace_hashes from unfolded_decision where project_no = ? order by decision_no')
  return (projectNo, hashes) => {
    const found = runs.find(projectNo, 'decision', hashes)
    const wanted = new Set(hashes.map((hash) => BigInt.asUintN(64, hash)))
    for (const row of unfolded.iterate(projectNo) as IterableIterator<{ decision_no: number; trace_hashes: Buffer }>)
      for (let at = 0; at < row.trace_hashes.length; at += HASH_BYTES) {
        const hash = row.trace_hashes.readBigUInt64BE(at)
        if (wanted.has(hash)) addTo(found, row.decision_no, BigInt.asIntN(64, hash))
      }
    return [...found].sort(([a], [b]) => a - b)
  }
}

function holdsHash(packed: Uint8Array, wanted: Uint8Array): boolean {
  let from = 0
  let to = packed.length / HASH_BYTES
  while (from < to) {
    const middle = (from + to) >>> 1
    const order = Buffer.compare(packed.subarray(middle * HASH_BYTES, (middle + 1) * HASH_BYTES), wanted)
    if (order === 0) return true
    if (order < 0) from = middle + 1
    else to = middle
  }
  return false
}

/** Every trace that was decided, by the words of its hash; of the low word the upper 8 bits are right. Repeats are possible. */
export function eachDecidedTrace(db: SqliteDatabase, visit: (low: number, high: number) => void): void {
  eachFoldedTrace(db, 'decision', visit)
  const unfolded = db.prepare('select trace_hashes from unfolded_decision').pluck()
  for (const packed of unfolded.iterate() as IterableIterator<Buffer>)
    for (let at = 0; at < packed.length; at += HASH_BYTES) visit(packed.readUInt32BE(at + 4), packed.readUInt32BE(at))
}

/** Hashes of a decision until they are folded: sorted big-endian, each once. */
export function packDecidedHashes(hashes: readonly bigint[]): Uint8Array {
  const sorted = BigUint64Array.from([...new Set(hashes.map((hash) => BigInt.asUintN(64, hash)))]).sort()
  const packed = Buffer.alloc(sorted.length * HASH_BYTES)
  sorted.forEach((hash, n) => void packed.writeBigUInt64BE(hash, n * HASH_BYTES))
  return packed
}
