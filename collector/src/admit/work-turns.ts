import { createProjectShares } from './project-shares.ts'

/** How much of one project's bodies is being decoded, admitted and committed at once. */
export interface WorkTurns {
  /**
   * Waits for the project's turn to have so many bytes worked on, at most two seconds; null: it did not come. The answer ends
   * the work, and may be called once.
   */
  enter(projectNo: number, bytes: number): Promise<(() => void) | null>
}

/**
 * What several projects have together: about what is committed in 5 ms, so that a body of one never waits long behind those of
 * another, however many those are. Bodies are read all the same, at the pace of their senders, and wait in memory. Beside 64
 * connections of another project a body of 20 spans took 4 ms (p99 16–22) where it takes 1.4 alone (p99 7–11); with 4 MB it was 13 ms
 * (p99 37–51), and the 64 got 163,000 spans/s instead of 150,000. A project alone fills two commits.
 */
const LIMITS = { aloneBytes: 8 * 1024 ** 2, togetherBytes: 512 * 1024, leastBytes: 256 * 1024 }

/** Who waits longer than this, in ms, is asked to come again: what is dear to decode must not pile up. */
const WAIT_MAX_MS = 2_000

interface Waiting {
  bytes: number
  admit(): void
}

export function createWorkTurns(monotonicMs: () => number): WorkTurns {
  const shares = createProjectShares<Waiting>(LIMITS, monotonicMs)
  let waiting = 0

  function wake(): void {
    while (waiting > 0) {
      const woken = shares.nextInTurn((share, { bytes }) => shares.allows(share, bytes))
      if (!woken) return
      waiting--
      woken.share.used += woken.one.bytes
      woken.one.admit()
    }
  }

  return {
    enter(projectNo, bytes) {
      const share = shares.of(projectNo)
      const leave = () => {
        share.used -= bytes
        wake()
      }
      if (share.waiting.size === 0 && shares.allows(share, bytes)) {
        share.used += bytes
        return Promise.resolve(leave)
      }
      waiting++
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          share.waiting.delete(one)
          waiting--
          resolve(null)
        }, WAIT_MAX_MS)
        const one: Waiting = {
          bytes,
          admit: () => {
            clearTimeout(timer)
            resolve(leave)
          },
        }
        share.waiting.add(one)
      })
    },
  }
}
