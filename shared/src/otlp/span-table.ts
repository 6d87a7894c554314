import { OtlpDecodeError } from './decode-error.ts'

/** A 64 MiB body of the smallest spans that have ids and a time holds about one million. */
const SPANS_MAX = 2_097_152

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

export function createSpanTable(capacity: number): SpanTable {
  const startNano = new BigUint64Array(capacity)
  const endNano = new BigUint64Array(capacity)
  return {
    capacity,
    spanStart: new Uint32Array(capacity),
    spanEnd: new Uint32Array(capacity),
    traceIdAt: new Uint32Array(capacity),
    spanIdAt: new Uint32Array(capacity),
    parentIdAt: new Uint32Array(capacity),
    startNano,
    endNano,
    startWords: new Uint32Array(startNano.buffer),
    endWords: new Uint32Array(endNano.buffer),
    reject: new Uint8Array(capacity),
    hasError: new Uint8Array(capacity),
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
  Object.assign(table, grown)
}
