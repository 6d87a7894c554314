import { type Exemplar, packExemplars, unpackExemplars } from './exemplars.ts'
import { unsigned, zigzag } from './sketch.ts'
import { packVarints } from './varints.ts'

/** What is measured of runs, and how it is numbered in rows: time in ms, tokens, cost in millionths of a US dollar. */
export const MEASURES = { latency: 1, tokens: 2, cost: 3 } as const
export type Measure = keyof typeof MEASURES
export const HOUR_MS = 3_600_000

/** What one transaction adds to the sketch of an operation and an hour of event. */
export interface SketchDelta {
  measure: number
  operationNo: number
  hour: number
  /** In any order; counts below zero take back. */
  bins: Iterable<readonly [bin: number, count: number]>
  exemplars: readonly Exemplar[]
}

export interface ReadDelta extends SketchDelta {
  bins: [bin: number, count: number][]
}

/** All that one transaction adds, in one row: bins as they come, since sorting them would cost the commit of spans more than they do. */
export function packDeltas(deltas: readonly SketchDelta[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { measure, operationNo, hour, bins, exemplars } of deltas) {
    const numbers: number[] = []
    for (const [bin, count] of bins) numbers.push(bin, zigzag(count))
    parts.push(packVarints([measure, operationNo, hour, numbers.length, ...numbers, exemplars.length]))
    if (exemplars.length > 0) parts.push(packExemplars(exemplars))
  }
  return Buffer.concat(parts)
}

export function unpackDeltas(bytes: Uint8Array): ReadDelta[] {
  const deltas: ReadDelta[] = []
  let at = 0
  const next = (): number => {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
      unit *= 0x80
    }
  }
  while (at < bytes.length) {
    const [measure, operationNo, hour] = [next(), next(), next()]
    const pairs = next() / 2
    const bins = Array.from({ length: pairs }, (): [number, number] => [next(), unsigned(next())])
    const length = next() * EXEMPLAR_BYTES
    deltas.push({ measure, operationNo, hour, bins, exemplars: unpackExemplars(bytes.subarray(at, at + length)) })
    at += length
  }
  return deltas
}

const EXEMPLAR_BYTES = packExemplars([{ value: 0, eventMs: 0, traceId: new Uint8Array(16), spanId: new Uint8Array(8) }]).length
