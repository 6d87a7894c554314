import { type Exemplar, packExemplars, unpackExemplars } from './exemplars.ts'
import { unsigned, zigzag } from './sketch.ts'
import { createVarintReader } from './varints.ts'

/** What is measured of runs, and how it is numbered in rows: time in ms, tokens, cost in millionths of a US dollar. */
export const MEASURES = { latency: 1, tokens: 2, cost: 3 } as const
export type Measure = keyof typeof MEASURES
export const HOUR_MS = 3_600_000

/** What one transaction adds to the sketch of an operation and an hour of event. */
export interface SketchDelta {
  measure: number
  operationNo: number
  hour: number
  /** Bins of values that are added: 16 bits each, since counting or sorting them would cost the commit of spans more than they do. */
  added: Uint16Array | readonly number[]
  /** Bins of values that are taken back. */
  takenBack: readonly number[]
  exemplars: readonly Exemplar[]
}

export interface ReadDelta extends SketchDelta {
  added: Uint16Array
}

/** All that one transaction adds, in one row. */
export function packDeltas(deltas: readonly SketchDelta[]): Uint8Array {
  const bytes = new Uint8Array(deltas.reduce((sum, delta) => sum + roomOf(delta), 0))
  let at = 0
  const put = (number: number) => {
    let value = number
    for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes[at++] = (value % 0x80) | 0x80
    bytes[at++] = value
  }
  for (const { measure, operationNo, hour, added, takenBack, exemplars } of deltas) {
    put(measure)
    put(operationNo)
    put(zigzag(hour))
    put(added.length)
    put(takenBack.length)
    for (const bin of takenBack) put(bin)
    put(exemplars.length)
    for (let n = 0; n < added.length; n++) {
      bytes[at++] = added[n]! & 0xff
      bytes[at++] = added[n]! >>> 8
    }
    if (exemplars.length === 0) continue
    bytes.set(packExemplars(exemplars), at)
    at += exemplars.length * EXEMPLAR_BYTES
  }
  return bytes.subarray(0, at)
}

/** Six numbers of at most eight bytes before what they count. */
function roomOf({ added, takenBack, exemplars }: SketchDelta): number {
  return 48 + 2 * added.length + 8 * takenBack.length + EXEMPLAR_BYTES * exemplars.length
}

export function unpackDeltas(bytes: Uint8Array): ReadDelta[] {
  const deltas: ReadDelta[] = []
  const { isOver, next, take } = createVarintReader(bytes)
  while (!isOver()) {
    const [measure, operationNo, hour, count] = [next(), next(), unsigned(next()), next()]
    const taken = next()
    const takenBack = taken === 0 ? NONE : Array.from({ length: taken }, next)
    const exemplarBytes = next() * EXEMPLAR_BYTES
    const added = new Uint16Array(count)
    const pairs = take(2 * count)
    for (let n = 0; n < count; n++) added[n] = pairs[2 * n]! | (pairs[2 * n + 1]! << 8)
    const exemplars = exemplarBytes === 0 ? NONE : unpackExemplars(take(exemplarBytes))
    deltas.push({ measure, operationNo, hour, added, takenBack, exemplars })
  }
  return deltas
}

const NONE: readonly never[] = []
const EXEMPLAR_BYTES = packExemplars([{ value: 0, eventMs: 0, traceId: new Uint8Array(16), spanId: new Uint8Array(8) }]).length
