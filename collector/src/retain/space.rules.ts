/** How much of the disk is held back, and when writing stops. */
export interface SpaceLimits {
  /** Bytes of the ballast file. */
  ballastBytes: number
  /** With less than this free nothing more is taken: a commit that fails half way costs more than one that is refused. */
  floorBytes: number
}

export interface SpaceSeen {
  freeBytes: number
  hasBallast: boolean
  /** A write has just failed for want of space. */
  hasFailed: boolean
}

/** A sixteenth: a disk of 32 MB has a ballast of 2, with which deleting was measured to work. */
const BALLAST_SHARE = 1 / 16
const FLOOR_SHARE = 1 / 64
const FLOOR_MAX_BYTES = 16 * 1024 ** 2

export function spaceLimits(diskBytes: number, ballastMaxBytes: number): SpaceLimits {
  return {
    ballastBytes: Math.floor(Math.min(ballastMaxBytes, diskBytes * BALLAST_SHARE)),
    floorBytes: Math.floor(Math.min(FLOOR_MAX_BYTES, diskBytes * FLOOR_SHARE)),
  }
}

/** Whether spans are refused for want of space. Once they are, there must be room for the ballast too before they are taken. */
export function isDiskFull(wasFull: boolean, { ballastBytes, floorBytes }: SpaceLimits, seen: SpaceSeen): boolean {
  if (seen.hasFailed) return true
  if (!wasFull) return seen.freeBytes < floorBytes
  return seen.freeBytes < floorBytes * 2 + (seen.hasBallast ? 0 : ballastBytes)
}

/** The ballast is laid only where that does not fill the disk. */
export function mayLayBallast({ ballastBytes, floorBytes }: SpaceLimits, { freeBytes }: SpaceSeen): boolean {
  return ballastBytes > 0 && freeBytes >= ballastBytes + floorBytes * 2
}
