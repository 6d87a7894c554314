const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** So long is a change looked at: what comes back later is another change's doing. */
const WATCH_DAYS = 30
/** The older a change, the less a while can add: a look after each twentieth of its age. */
const LOOKS_PER_AGE = 20

/** When a plan is looked at next; null once its time is over. What is yet to ship is looked at when it has. */
export function nextLookAfter(
  nowMs: number,
  { shippedAtMs, frozenAtMs }: { shippedAtMs: number; frozenAtMs: number },
): number | null {
  const startedMs = Math.max(shippedAtMs, frozenAtMs)
  if (nowMs >= startedMs + WATCH_DAYS * DAY_MS) return null
  if (nowMs < shippedAtMs) return shippedAtMs + MINUTE_MS
  return nowMs + Math.min(HOUR_MS, Math.max(MINUTE_MS, (nowMs - startedMs) / LOOKS_PER_AGE))
}
