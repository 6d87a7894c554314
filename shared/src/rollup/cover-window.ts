/** Width of the rows that hold more than a minute, widest first. */
export const ROLLUP_WIDTHS = [1440, 60] as const
export type RollupWidth = (typeof ROLLUP_WIDTHS)[number]

/** From the first number to before the second. */
export type Range = readonly [from: number, to: number]

/** What answers for a window: days and hours by their number, what is left by the minute. */
export interface WindowCover {
  wide: { minutes: RollupWidth; from: number; to: number }[]
  minutes: Range[]
}

/**
 * Covers whole minutes by the widest rows that lie in them. Rows hold what came before `rolledTo`: the one it stands in counts
 * for what it holds if the window goes on as far; from there on minutes answer.
 */
export function coverWindow(fromMinute: number, toMinute: number, rolledTo: number): WindowCover {
  const cover: WindowCover = { wide: [], minutes: [] }
  const end = Math.max(fromMinute, Math.min(toMinute, rolledTo))
  fill(cover, [fromMinute, end], rolledTo, 0)
  if (toMinute > end) cover.minutes.push([end, toMinute])
  return cover
}

function fill(cover: WindowCover, [from, to]: Range, rolledTo: number, level: number): void {
  if (from >= to) return
  const width = ROLLUP_WIDTHS[level]
  if (width === undefined) {
    cover.minutes.push([from, to])
    return
  }
  const first = Math.ceil(from / width)
  // A row that is still growing is whole for us where the window goes beyond all that it holds.
  const last = to >= rolledTo ? Math.ceil(to / width) : Math.floor(to / width)
  if (first >= last) {
    fill(cover, [from, to], rolledTo, level + 1)
    return
  }
  fill(cover, [from, first * width], rolledTo, level + 1)
  cover.wide.push({ minutes: width, from: first, to: last })
  fill(cover, [last * width, to], rolledTo, level + 1)
}
