/** A span of the trace of a slow run, as far as it tells where the time went. */
export interface TimedSpan {
  /** Hex. */
  spanId: string
  parentId: string | null
  /** Service and operation as one text. */
  place: string
  tookMs: number
  /** It failed by itself, or waits for somebody by design: its time is no slowness. */
  isExcused: boolean
}

/** Share of the time beyond the usual that something below must have taken to stand for all of it. */
const EXPLAINED_SHARE = 0.5

/**
 * What below a slow run took most of its time: the deepest work that is out of its own usual, `excused` where it is a failure or a
 * wait, or null where the time is the run's own.
 */
export function explainSlowRun(
  spans: readonly TimedSpan[],
  { spanId, excessMs, isSlowPlace }: { spanId: string; excessMs: number; isSlowPlace: (place: string) => boolean },
): { place: string } | 'excused' | null {
  const childrenOf = Map.groupBy(spans, ({ parentId }) => parentId)
  const seen = new Set([spanId])
  let found: { place: string } | 'excused' | null = null
  let own = spans.find((span) => span.spanId === spanId)?.place
  for (let level = [...(childrenOf.get(spanId) ?? [])]; level.length > 0; ) {
    const large = level.filter((span) => span.tookMs >= EXPLAINED_SHARE * excessMs)
    const told = large.filter((span) => span.isExcused || (isSlowPlace(span.place) && span.place !== own))
    const [first] = told.toSorted((a, b) => b.tookMs - a.tookMs || (a.spanId < b.spanId ? -1 : 1))
    if (first) {
      found = first.isExcused ? 'excused' : { place: first.place }
      own = first.place
    }
    level = large.flatMap((span) => childrenOf.get(span.spanId) ?? []).filter((span) => !seen.has(span.spanId))
    for (const span of level) seen.add(span.spanId)
  }
  return found
}
