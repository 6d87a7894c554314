import { packVarints, unpackVarints } from './varints.ts'

/**
 * Counts by minute of event in at most 16 bars: of one minute each where these are enough, else of so many that they are. A count
 * may fall below zero, since corrections are signed.
 */
export interface MinuteHistogram {
  add(minute: number, count: number): void
  join(bytes: Uint8Array): void
  /** Whole bars; each stands at its first minute. */
  bars(): [minute: number, count: number][]
  toBytes(): Uint8Array
}

const BARS_MAX = 16
/** Each divides the next. */
const WIDTHS = [1, 5, 15, 60, 360, 1440, 10_080]

export function createMinuteHistogram(): MinuteHistogram {
  let width = WIDTHS[0]!
  let counts = new Map<number, number>()

  /** Which width is needed depends on the minutes alone, not on their order: a part never needs more than the whole. */
  function add(minute: number, count: number): void {
    const bar = Math.floor(minute / width)
    counts.set(bar, (counts.get(bar) ?? 0) + count)
    while (counts.size > BARS_MAX) widen(WIDTHS[WIDTHS.indexOf(width) + 1] ?? width * 2)
  }

  function widen(to: number): void {
    const before = counts
    const by = to / width
    counts = new Map()
    width = to
    for (const [bar, count] of before) counts.set(Math.floor(bar / by), (counts.get(Math.floor(bar / by)) ?? 0) + count)
  }

  return {
    add,
    join(bytes) {
      const [itsWidth = 1, ...rest] = unpackVarints(bytes)
      while (width < itsWidth) widen(WIDTHS[WIDTHS.indexOf(width) + 1] ?? width * 2)
      let bar = 0
      for (let at = 0; at + 1 < rest.length; at += 2) {
        bar += unsigned(rest[at]!)
        add(bar * itsWidth, unsigned(rest[at + 1]!))
      }
    },
    bars: () => [...counts].map(([bar, count]) => [bar * width, count]),
    toBytes() {
      let before = 0
      const sorted = [...counts].sort(([a], [b]) => a - b)
      const values = sorted.flatMap(([bar, count]) => {
        const step = bar - before
        before = bar
        return [zigzag(step), zigzag(count)]
      })
      return packVarints([width, ...values])
    },
  }
}

/** The bars of one that was written, without making it one. */
export function readBars(bytes: Uint8Array, visit: (minute: number, count: number) => void): void {
  const values = unpackVarints(bytes)
  const width = values[0] ?? 1
  let bar = 0
  for (let at = 1; at + 1 < values.length; at += 2) {
    bar += unsigned(values[at]!)
    visit(bar * width, unsigned(values[at + 1]!))
  }
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)
const unsigned = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
