/** How many calls in any span of `windowMs`. */
export interface Limit {
  name: string
  max: number
  windowMs: number
}

export interface LimitVerdict {
  allowed: boolean
  /** Calls left in this window, after this one. */
  remaining: number
  /** Until the oldest counted call leaves the window; waiting so long makes room for one. */
  resetMs: number
}

/** One call against the calls that are still in the window. Exact: never more than `max` in any window, edges included. */
export function judgeCall(
  limit: Limit,
  { counted, oldestMs, nowMs }: { counted: number; oldestMs: number | null; nowMs: number },
): LimitVerdict {
  const resetMs = oldestMs === null ? limit.windowMs : Math.max(0, oldestMs + limit.windowMs - nowMs)
  if (counted >= limit.max) return { allowed: false, remaining: 0, resetMs }
  return { allowed: true, remaining: limit.max - counted - 1, resetMs }
}

/** The headers of draft-ietf-httpapi-ratelimit-headers; a refusal also says when to come back, in whole seconds rounded up. */
export function limitHeaders(
  { name, max, windowMs }: Limit,
  { allowed, remaining, resetMs }: LimitVerdict,
): Record<string, string> {
  const resetSeconds = Math.max(1, Math.ceil(resetMs / 1000))
  return {
    'ratelimit-policy': `"${name}";q=${max};w=${Math.round(windowMs / 1000)}`,
    ratelimit: `"${name}";r=${remaining};t=${resetSeconds}`,
    ...(!allowed && { 'retry-after': String(resetSeconds) }),
  }
}
