import { OtlpDecodeError } from './decode-error.ts'
import { freeMemory } from './free-memory.ts'

/** More than a collector takes in one body; a 64 MiB body of empty spans would have 32 million. */
const SPANS_MAX = 1_048_576

/** What a walk found out about each span, one column per property. Rows are in wire order. */
export interface SpanTable {
  capacity: number
  spanStart: Uint32Array
  spanEnd: Uint32Array
  traceIdAt: Uint32Array
  spanIdAt: Uint32Array
  parentIdAt: Uint32Array
  startNano: BigUint64Array
  endNano: BigUint64Array
  /** The same memory as the times, as pairs of low and high word: written without making a bigint. */
  startWords: Uint32Array
  endWords: Uint32Array
  reject: Uint8Array
  hasError: Uint8Array
}

/** Two columns of 8 bytes a row, five of 4 and two of 1. */
const ROW_BYTES = 38

/** All columns lie in one piece of memory, since small bodies would spend more on nine than on their spans. */
export function createSpanTable(capacity: number): SpanTable {
  const memory = new ArrayBuffer(capacity * ROW_BYTES)
  const words = (column: number) => new Uint32Array(memory, capacity * (16 + column * 4), capacity)
  return {
    capacity,
    startNano: new BigUint64Array(memory, 0, capacity),
    endNano: new BigUint64Array(memory, capacity * 8, capacity),
    startWords: new Uint32Array(memory, 0, capacity * 2),
    endWords: new Uint32Array(memory, capacity * 8, capacity * 2),
    spanStart: words(0),
    spanEnd: words(1),
    traceIdAt: words(2),
    spanIdAt: words(3),
    parentIdAt: words(4),
    reject: new Uint8Array(memory, capacity * 36, capacity),
    hasError: new Uint8Array(memory, capacity * 37, capacity),
  }
}

/** Doubles the table in place. Throws `too_many_values` where a body holds more spans than any honest one can. */
export function growSpanTable(table: SpanTable): void {
  if (table.capacity >= SPANS_MAX) throw new OtlpDecodeError('too_many_values', `more than ${SPANS_MAX} spans`)
  const grown = createSpanTable(Math.min(SPANS_MAX, table.capacity * 2))
  grown.spanStart.set(table.spanStart)
  grown.spanEnd.set(table.spanEnd)
  grown.traceIdAt.set(table.traceIdAt)
  grown.spanIdAt.set(table.spanIdAt)
  grown.parentIdAt.set(table.parentIdAt)
  grown.startNano.set(table.startNano)
  grown.endNano.set(table.endNano)
  grown.reject.set(table.reject)
  grown.hasError.set(table.hasError)
  freeMemory(table.reject)
  Object.assign(table, grown)
}
