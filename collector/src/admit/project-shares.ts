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

/** A project alone leaves this part of all to one that comes along: what it holds is not taken back. */
const KEPT_FOR_OTHERS = 1 / 2
/**
 * What several projects have together while they send at the same time: about what is committed in 40 ms, so that a body of
 * one never waits long behind those of another, however many those are. Less than one body's worth is no share.
 */
const TOGETHER_BYTES = 4 * 1024 ** 2
const SHARE_MIN_BYTES = 512 * 1024
/** A project that sent nothing for so long, in ms, leaves its share to the others. */
const ACTIVE_MS = 2_000
/** Projects are counted anew this often, in ms. */
const COUNT_EVERY_MS = 50

export function createProjectShares<W>(maxBytes: number, monotonicMs: () => number): ProjectShares<W> {
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
      const most =
        projects <= 1
          ? maxBytes * (1 - KEPT_FOR_OTHERS)
          : Math.max(SHARE_MIN_BYTES, Math.min(TOGETHER_BYTES, maxBytes) / projects)
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
