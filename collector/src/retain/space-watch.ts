import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { createBallast } from './ballast.ts'
import { createLogReserve } from './log-reserve.ts'
import { isDiskFull, mayLayBallast, reserveBytes, spaceLimits } from './space.rules.ts'

/** Watches the disk, holds the ballast, and says when spans must be refused. */
export interface SpaceWatch {
  /**
   * Looks and acts. Call it about once a second, and at once after `noteFailed`. `pendingLogBytes`: in the log and not in the
   * file yet.
   */
  look(pendingLogBytes: number): SpaceState
  /** A write failed for want of space. */
  noteFailed(): void
}

export interface SpaceState {
  isFull: boolean
  freeBytes: number
  /** The ballast is still being written: look again soon. */
  isLaying: boolean
  /** Room for the log is being laid, which a reader holds: it cannot wait. */
  isReserving: boolean
  /**
   * The disk may be full before long. What is in the log by then and not in the file must fit where the ballast lay, so the log
   * is moved more often.
   */
  isNarrow: boolean
}

/** Free space in ballasts from which on the disk counts as narrow. */
const NARROW_TIMES = 8

export function createSpaceWatch(dataDir: string, ballastMaxBytes: number): SpaceWatch {
  const ballast = createBallast(join(dataDir, 'ballast'))
  const reserve = createLogReserve(join(dataDir, 'ballast.log'))
  let isFull = false
  let hasFailed = false

  function measure() {
    const { bavail, blocks, bsize } = statfsSync(dataDir)
    return { limits: spaceLimits(blocks * bsize, ballastMaxBytes), freeBytes: bavail * bsize }
  }

  return {
    look(pendingLogBytes) {
      const { limits, freeBytes } = measure()
      const wantedReserve = reserveBytes(limits, pendingLogBytes)
      const lack = Math.max(0, wantedReserve - reserve.bytes())
      const seen = { freeBytes, hasFailed, hasBallast: ballast.isThere(), reserveLackBytes: lack }
      isFull = isDiskFull(isFull, limits, seen)
      hasFailed = false
      const isNarrow = freeBytes < (limits.ballastBytes + limits.floorBytes) * NARROW_TIMES
      if (isFull) {
        ballast.remove()
        reserve.remove()
        return { isFull, freeBytes, isLaying: false, isReserving: false, isNarrow }
      }
      if (limits.ballastBytes === 0) ballast.remove()
      const isReserving = !unlessFull(() => reserve.hold(wantedReserve))
      const mayLay = seen.hasBallast || mayLayBallast(limits, seen)
      const isLaying = mayLay && limits.ballastBytes > 0 && !unlessFull(() => ballast.layMore(limits.ballastBytes))
      return { isFull, freeBytes, isLaying, isReserving, isNarrow }
    },
    noteFailed() {
      hasFailed = true
    },
  }

  /** Answers whether it is done with it for now. */
  function unlessFull(lay: () => boolean): boolean {
    try {
      return lay()
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error
      return true
    }
  }
}
