import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { createBallast } from './ballast.ts'
import { isDiskFull, mayLayBallast, spaceLimits } from './space.rules.ts'

/** Watches the disk, holds the ballast, and says when spans must be refused. */
export interface SpaceWatch {
  /** Looks and acts. Call it about once a second, and at once after `noteFailed`. */
  look(): SpaceState
  /** A write failed for want of space. */
  noteFailed(): void
}

export interface SpaceState {
  isFull: boolean
  freeBytes: number
  /** The ballast is still being written: look again soon. */
  isLaying: boolean
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
  let isFull = false
  let hasFailed = false

  function measure() {
    const { bavail, blocks, bsize } = statfsSync(dataDir)
    return { limits: spaceLimits(blocks * bsize, ballastMaxBytes), freeBytes: bavail * bsize }
  }

  return {
    look() {
      const { limits, freeBytes } = measure()
      const seen = { freeBytes, hasFailed, hasBallast: ballast.isThere() }
      isFull = isDiskFull(isFull, limits, seen)
      hasFailed = false
      const isNarrow = freeBytes < (limits.ballastBytes + limits.floorBytes) * NARROW_TIMES
      if (isFull) {
        ballast.remove()
        return { isFull, freeBytes, isLaying: false, isNarrow }
      }
      if (limits.ballastBytes === 0) ballast.remove()
      const isLaying = (seen.hasBallast || mayLayBallast(limits, seen)) && limits.ballastBytes > 0 && !lay(limits.ballastBytes)
      return { isFull, freeBytes, isLaying, isNarrow }
    },
    noteFailed() {
      hasFailed = true
    },
  }

  /** Answers whether it is done with it for now. */
  function lay(bytes: number): boolean {
    try {
      return ballast.layMore(bytes)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error
      return true
    }
  }
}
