import { binOf, readSketch, SKETCH_ACCURACY, type Sketch, valueOfBin } from '@loopkit/shared/rollup/sketch'

/** Bins of a sketch that make one step: a quarter more than the last. Usual and unusual are told apart no finer than that. */
const STEP_BINS = 11

/** A sketch as outliers are judged by it: how many runs lie above each step. */
export interface ValueSteps {
  total: number
  /** At n: runs in bins above n · STEP_BINS. Beyond its end there are none. */
  above: Uint32Array
}

export function stepsOfSketch(sketch: Sketch): ValueSteps {
  const bins = sketch.bins()
  const top = bins.at(-1)?.[0] ?? 0
  const above = new Uint32Array(Math.ceil(top / STEP_BINS))
  let total = 0
  for (const [bin, count] of bins) {
    total += count
    const last = Math.ceil(bin / STEP_BINS) - 1
    if (last >= 0) above[last]! += count
  }
  for (let n = above.length - 2; n >= 0; n--) above[n]! += above[n + 1]!
  return { total, above }
}

/** Of a sketch that was written: its bins stand in order, so no sketch need be made of them. */
export function stepsOfBytes(bytes: Uint8Array): ValueSteps {
  const above: number[] = []
  let total = 0
  readSketch(bytes, (bin, count) => {
    if (count <= 0) return
    total += count
    const last = Math.ceil(bin / STEP_BINS) - 1
    while (above.length <= last) above.push(0)
    if (last >= 0) above[last]! += count
  })
  for (let n = above.length - 2; n >= 0; n--) above[n]! += above[n + 1]!
  return { total, above: Uint32Array.from(above) }
}

/** What is read of steps, fixed or growing. */
export interface Steps {
  total: number
  above: ArrayLike<number>
}

/** A sum that times are added to and taken from. */
export interface MutableSteps extends Steps {
  above: number[]
}

export function addSteps(sum: MutableSteps, { total, above }: ValueSteps, times: 1 | -1): void {
  while (sum.above.length < above.length) sum.above.push(0)
  for (let n = 0; n < above.length; n++) sum.above[n]! += times * above[n]!
  sum.total += times * total
}

export function sumSteps(all: readonly ValueSteps[]): ValueSteps {
  const above = new Uint32Array(Math.max(0, ...all.map((one) => one.above.length)))
  for (const one of all) for (let n = 0; n < one.above.length; n++) above[n]! += one.above[n]!
  return { total: all.reduce((sum, { total }) => sum + total, 0), above }
}

/** Steps that are to be added, some of them to be taken back. */
export interface SignedSteps {
  total: number
  above: Int32Array
}

export function stepsOfChanges(changes: Iterable<readonly [bin: number, count: number]>): SignedSteps {
  const all = [...changes]
  const above = new Int32Array(Math.max(0, ...all.map(([bin]) => Math.ceil(bin / STEP_BINS))))
  let total = 0
  for (const [bin, count] of all) {
    total += count
    for (let n = Math.ceil(bin / STEP_BINS) - 1; n >= 0; n--) above[n]! += count
  }
  return { total, above }
}

export function addChanges(steps: ValueSteps | null, changes: SignedSteps): ValueSteps {
  const above = new Uint32Array(Math.max(steps?.above.length ?? 0, changes.above.length))
  for (let n = 0; n < above.length; n++) above[n] = Math.max(0, (steps?.above[n] ?? 0) + (changes.above[n] ?? 0))
  return { total: Math.max(0, (steps?.total ?? 0) + changes.total), above }
}

/** Runs above a step. */
export function runsAbove({ above }: Steps, step: number): number {
  return above[step] ?? 0
}

/** The lowest step that at most this share of runs lies above. */
export function stepOfShare({ total, above }: Steps, shareAbove: number): number {
  const most = shareAbove * total
  let low = 0
  let high = above.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (above[middle]! <= most) high = middle
    else low = middle + 1
  }
  return low
}

/** The first step whose value is at least this. */
export function stepOfValue(value: number): number {
  return Math.ceil(binOf(Math.ceil(value)) / STEP_BINS)
}

/** The bin that a step ends at. */
export function binOfStep(step: number): number {
  return step * STEP_BINS
}

/** Of usual values: powers cost more than all else that is done with a time. */
const VALUES = Float64Array.from({ length: 128 }, (_, step) => valueOfBin(binOfStep(step)))

export function valueOfStep(step: number): number {
  return VALUES[step] ?? valueOfBin(binOfStep(step))
}

/** So many steps are at least this factor. */
export function stepsOfFactor(factor: number): number {
  const exact = Math.log(factor) / Math.log((1 + SKETCH_ACCURACY) / (1 - SKETCH_ACCURACY)) / STEP_BINS
  return Math.ceil(exact - ROUNDING)
}

const ROUNDING = 1e-9
