/** Keeps a flood of one kind of line from filling a disk, and says how many were left out. */
export interface LineLimit {
  /** Whether one more line of this code may be written now. */
  take(code: string): boolean
  /** What was left out since it was last told, by code; null while there is nothing, or it was told a moment ago. */
  tell(): Record<string, number> | null
}

export interface LineLimitOptions {
  /** Lines of one code at once. */
  burst: number
  /** Lines of one code in the long run. */
  perSecond: number
  /** Between two tellings. */
  tellEveryMs: number
  monotonicMs(): number
}

/** Codes are words of the program; what has none counts as one. */
const CODES_MAX = 500

export function createLineLimit({ burst, perSecond, tellEveryMs, monotonicMs }: LineLimitOptions): LineLimit {
  const buckets = new Map<string, { left: number; atMs: number }>()
  let leftOut = new Map<string, number>()
  let toldMs = Number.NEGATIVE_INFINITY

  function bucketOf(code: string, nowMs: number) {
    const known = buckets.get(code)
    if (known) return known
    if (buckets.size >= CODES_MAX) buckets.clear()
    const bucket = { left: burst, atMs: nowMs }
    buckets.set(code, bucket)
    return bucket
  }

  return {
    take(code) {
      const nowMs = monotonicMs()
      const bucket = bucketOf(code, nowMs)
      bucket.left = Math.min(burst, bucket.left + ((nowMs - bucket.atMs) / 1000) * perSecond)
      bucket.atMs = nowMs
      if (bucket.left < 1) {
        leftOut.set(code, (leftOut.get(code) ?? 0) + 1)
        return false
      }
      bucket.left--
      return true
    },
    tell() {
      if (leftOut.size === 0 || monotonicMs() - toldMs < tellEveryMs) return null
      toldMs = monotonicMs()
      const told = Object.fromEntries(leftOut)
      leftOut = new Map()
      return told
    },
  }
}
