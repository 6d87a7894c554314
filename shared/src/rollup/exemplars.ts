/** A span that stands for the largest values of its bucket. */
export interface Exemplar {
  value: number
  eventMs: number
  /** 16 and 8 bytes. */
  traceId: Uint8Array
  spanId: Uint8Array
}

/** Kept of one bucket, of whatever it was made from: fewer in a part than in the whole would make the whole depend on the parts. */
export const EXEMPLARS_MAX = 6
const ID_BYTES = 24
const NUMBER_BYTES = 8
const ROW_BYTES = ID_BYTES + 2 * NUMBER_BYTES

/** The largest, of one span the largest; ties by id. The same whatever they were joined from. */
export function joinExemplars(all: readonly Exemplar[]): Exemplar[] {
  const largest = new Map<string, Exemplar>()
  for (const one of all.toSorted(compareExemplars)) {
    const key = Buffer.concat([one.traceId, one.spanId]).toString('latin1')
    if (!largest.has(key)) largest.set(key, one)
    if (largest.size === EXEMPLARS_MAX) break
  }
  return [...largest.values()]
}

export function compareExemplars(a: Exemplar, b: Exemplar): number {
  return b.value - a.value || Buffer.compare(a.traceId, b.traceId) || Buffer.compare(a.spanId, b.spanId)
}

export function packExemplars(exemplars: readonly Exemplar[]): Uint8Array {
  const bytes = Buffer.alloc(exemplars.length * ROW_BYTES)
  exemplars.forEach(({ value, eventMs, traceId, spanId }, n) => {
    const at = n * ROW_BYTES
    bytes.set(traceId, at)
    bytes.set(spanId, at + 16)
    bytes.writeDoubleLE(value, at + ID_BYTES)
    bytes.writeDoubleLE(eventMs, at + ID_BYTES + NUMBER_BYTES)
  })
  return bytes
}

export function unpackExemplars(packed: Uint8Array): Exemplar[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  return Array.from({ length: Math.floor(bytes.length / ROW_BYTES) }, (_, n) => {
    const at = n * ROW_BYTES
    return {
      traceId: new Uint8Array(bytes.subarray(at, at + 16)),
      spanId: new Uint8Array(bytes.subarray(at + 16, at + ID_BYTES)),
      value: bytes.readDoubleLE(at + ID_BYTES),
      eventMs: bytes.readDoubleLE(at + ID_BYTES + NUMBER_BYTES),
    }
  })
}
