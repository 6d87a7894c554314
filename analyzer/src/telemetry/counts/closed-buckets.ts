import type { Range } from '@loopkit/shared/rollup/cover-window'

/**
 * Parts a range of buckets into those to which nothing comes any more and the others. `kept` goes from the oldest that there is, which
 * may be on its way out, to the first that is not over.
 */
export function divideByClosed([from, to]: Range, kept: { from: number; to: number }): { closed: Range | null; open: Range[] } {
  const first = Math.max(from, kept.from + 1)
  const last = Math.min(to, kept.to)
  if (first >= last) return { closed: null, open: [[from, to]] }
  const open: Range[] = [
    [from, first],
    [last, to],
  ]
  return { closed: [first, last], open: open.filter(([start, end]) => start < end) }
}
