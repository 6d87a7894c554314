/** What one project holds of something that all share, and who of it waits, in order of arrival. */
export interface ProjectShare<W> {
  used: number
  readonly waiting: Set<W>
  seenMs: number
}

export interface ProjectShares<W> {
  of(projectNo: number): ProjectShare<W>
  /** Whether a project may have so much more: whoever has nothing always may. */
  allows(share: ProjectShare<W>, more: number): boolean
  /** Takes out of its line the first who can be served, going from project to project; null where there is none. */
  nextInTurn(canServe: (share: ProjectShare<W>, one: W) => boolean): { share: ProjectShare<W>; one: W } | null
}

export interface ShareLimits {
  /** The most that one project has while no other sends. */
  aloneBytes: number
  /** What all projects have together while several send; each has as much of it as the others. */
  togetherBytes: number
  /** No share is smaller: it must hold a usual body. */
  leastBytes: number
}

/** A project that sent nothing for so long, in ms, leaves its share to the others: exporters send every few seconds. */
const ACTIVE_MS = 60_000
/** Projects are counted anew this often, in ms. */
const COUNT_EVERY_MS = 100

export function createProjectShares<W>(limits: ShareLimits, monotonicMs: () => number): ProjectShares<W> {
  const shares = new Map<number, ProjectShare<W>>()
  let active = 0
  let countedMs = Number.NEGATIVE_INFINITY

  function countActive(): number {
    const nowMs = monotonicMs()
    if (nowMs - countedMs < COUNT_EVERY_MS) return active
    countedMs = nowMs
    active = 0
    for (const [projectNo, { used, waiting, seenMs }] of shares) {
      if (used > 0 || waiting.size > 0 || nowMs - seenMs < ACTIVE_MS) active++
      else shares.delete(projectNo)
    }
    return active
  }

  return {
    of(projectNo) {
      let share = shares.get(projectNo)
      if (!share) {
        share = { used: 0, waiting: new Set(), seenMs: 0 }
        shares.set(projectNo, share)
        // A newcomer counts at once.
        countedMs = Number.NEGATIVE_INFINITY
      }
      share.seenMs = monotonicMs()
      return share
    },
    allows(share, more) {
      if (share.used === 0) return true
      const projects = countActive()
      const { aloneBytes, togetherBytes, leastBytes } = limits
      const most = projects <= 1 ? aloneBytes : Math.max(leastBytes, togetherBytes / projects)
      return share.used + more <= most
    },
    nextInTurn(canServe) {
      for (const [projectNo, share] of shares) {
        for (const one of share.waiting) {
          if (!canServe(share, one)) break
          share.waiting.delete(one)
          // To the end: the others come first now.
          shares.delete(projectNo)
          shares.set(projectNo, share)
          return { share, one }
        }
      }
      return null
    },
  }
}
