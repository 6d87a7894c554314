import sketches from '@datadog/sketches-js'
import { createVarintReader, packVarints } from './varints.ts'

/**
 * How values are distributed, as a DDSketch of 1 % relative accuracy: a count for each of its bins. Held as the few bins that were
 * met, since the library's own form is a dense array of kilobytes. Sums of sketches depend on neither order nor division; counts may
 * be taken back.
 */
export interface Sketch {
  add(bin: number, count: number): void
  join(bytes: Uint8Array): void
  total(): number
  /** The bin in which this share of all values ends; 0 where there are none. */
  quantile(share: number): number
  /** How many lie in bins above this one. */
  above(bin: number): number
  /** Bins in ascending order with counts above zero. */
  bins(): (readonly [bin: number, count: number])[]
  /** As it was put together, what is taken back too. */
  changes(): Iterable<readonly [bin: number, count: number]>
  toBytes(): Uint8Array
}

/** Two values that differ by less than this are of one bin. */
export const SKETCH_ACCURACY = 0.01
const { mapping } = new sketches.DDSketch({ relativeAccuracy: SKETCH_ACCURACY })
/** Beyond it all is one bin: ten years in ms. */
const VALUE_MAX = 3e11
/** Values up to which bins are remembered: the logarithm costs more than all else that is done with a span's duration. */
const REMEMBERED_VALUES = 16_384
const remembered = Int16Array.from({ length: REMEMBERED_VALUES }, (_, value) => (value < 1 ? 0 : 1 + mapping.key(value)))

/** The bin of a whole number; 0 stands for what is below 1. */
export function binOf(value: number): number {
  if (value < REMEMBERED_VALUES) return value < 1 ? 0 : remembered[value]!
  return 1 + mapping.key(Math.min(value, VALUE_MAX))
}

/** The value that stands for a bin, within the accuracy. */
export function valueOfBin(bin: number): number {
  return bin === 0 ? 0 : mapping.value(bin - 1)
}

export function createSketch(): Sketch {
  const counts = new Map<number, number>()
  let sorted: (readonly [number, number])[] | null = null
  let sum = 0

  function add(bin: number, count: number): void {
    counts.set(bin, (counts.get(bin) ?? 0) + count)
    sum += count
    sorted = null
  }

  function bins(): (readonly [number, number])[] {
    sorted ??= [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b)
    return sorted
  }

  return {
    add,
    join: (bytes) => readSketch(bytes, add),
    total: () => sum,
    quantile(share) {
      const rank = share * (sum - 1)
      let seen = 0
      for (const [bin, count] of bins()) {
        seen += count
        if (seen > rank) return bin
      }
      return 0
    },
    above(bin) {
      let above = 0
      for (let at = bins().length - 1; at >= 0 && bins()[at]![0] > bin; at--) above += bins()[at]![1]
      return above
    },
    bins,
    changes: () => counts,
    toBytes() {
      let before = 0
      const kept = [...counts].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b)
      return packVarints(
        kept.flatMap(([bin, count]) => {
          const step = bin - before
          before = bin
          return [step, zigzag(count)]
        }),
      )
    },
  }
}

/** Adds one for each bin, those of the same bin at once. The bins are left in order. */
export function addBins(sketch: Sketch, bins: Uint16Array): void {
  bins.sort()
  for (let at = 0; at < bins.length; ) {
    const bin = bins[at]!
    let end = at + 1
    while (end < bins.length && bins[end] === bin) end++
    sketch.add(bin, end - at)
    at = end
  }
}

/** The counts of one that was written. */
export function readSketch(bytes: Uint8Array, visit: (bin: number, count: number) => void): void {
  const { isOver, next } = createVarintReader(bytes)
  for (let bin = 0; !isOver(); ) {
    bin += next()
    visit(bin, unsigned(next()))
  }
}

/** A count that may be taken back, as a whole number ≥ 0. */
export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)
export const unsigned = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
