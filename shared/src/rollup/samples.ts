import { packVarints, unpackVarints } from './varints.ts'

/** A failure that stands for others: its number, and the place that the random part of its trace id gives it among them. */
export interface Sample {
  order: number
  failureNo: number
}

/** Kept of one bucket. */
const SAMPLES_MAX = 24

/** Where the part of a trace id begins that is random whoever made it; four bytes of it are enough to tell traces apart. */
const TRACE_ID_RANDOM_AT = 9

export function orderOf(traceId: Uint8Array): number {
  return new DataView(traceId.buffer, traceId.byteOffset + TRACE_ID_RANDOM_AT, 4).getUint32(0)
}

/** The first of each trace, those that come first: the same whatever they were joined from. */
export function joinSamples(all: readonly Sample[]): Sample[] {
  const firstOf = new Map<number, number>()
  for (const { order, failureNo } of all) firstOf.set(order, Math.min(failureNo, firstOf.get(order) ?? Number.POSITIVE_INFINITY))
  return [...firstOf]
    .map(([order, failureNo]) => ({ order, failureNo }))
    .sort((a, b) => a.order - b.order)
    .slice(0, SAMPLES_MAX)
}

export function packSamples(samples: readonly Sample[]): Uint8Array {
  return packVarints(samples.flatMap(({ order, failureNo }) => [order, failureNo]))
}

export function unpackSamples(bytes: Uint8Array): Sample[] {
  const values = unpackVarints(bytes)
  return Array.from({ length: values.length >> 1 }, (_, n) => ({ order: values[2 * n]!, failureNo: values[2 * n + 1]! }))
}
