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
  /** Bytes that the log's reserve should have and does not. */
  reserveLackBytes: number
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

/** The reserve comes and goes in steps, so that it is not written for every commit. */
const RESERVE_STEP_BYTES = 8 * 1024 ** 2
/** The log itself is kept below this. */
const RESERVE_MAX_BYTES = 256 * 1024 ** 2

/**
 * Room to be held for what lies in the log and not in the file yet. The ballast has room for as much as half of it, the other
 * half is for deleting.
 */
export function reserveBytes({ ballastBytes }: SpaceLimits, pendingLogBytes: number): number {
  const beyond = pendingLogBytes - ballastBytes / 2
  if (ballastBytes === 0 || beyond <= 0) return 0
  const step = Math.min(RESERVE_STEP_BYTES, ballastBytes)
  return Math.min(RESERVE_MAX_BYTES, Math.ceil(beyond / step) * step)
}

/** Whether spans are refused for want of space. Once they are, there must be room for the ballast too before they are taken. */
export function isDiskFull(wasFull: boolean, { ballastBytes, floorBytes }: SpaceLimits, seen: SpaceSeen): boolean {
  if (seen.hasFailed) return true
  if (!wasFull) return seen.freeBytes < floorBytes + seen.reserveLackBytes
  return seen.freeBytes < floorBytes * 2 + (seen.hasBallast ? 0 : ballastBytes) + seen.reserveLackBytes
}

/** The ballast is laid only where that does not fill the disk. */
export function mayLayBallast({ ballastBytes, floorBytes }: SpaceLimits, { freeBytes }: SpaceSeen): boolean {
  return ballastBytes > 0 && freeBytes >= ballastBytes + floorBytes * 2
}
